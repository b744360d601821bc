import type { DatabaseSync } from 'node:sqlite';
import type { DeliveryStatus } from '../domain/delivery.ts';
import type { PublishedEvent } from '../domain/event.ts';
import { idsBelow, idsOf } from './ids-of.ts';
import { boundsOf, type ListPart, partOf, type Range } from './part.ts';

/** Which events of a channel a list is to show. */
export interface EventFilter {
  readonly event_name?: string | undefined;
  readonly ext_ref_code?: string | undefined;
  /** That of at least one of its deliveries. */
  readonly status?: DeliveryStatus | undefined;
  /** Those that operational webhooks are sent; absent: all others. */
  readonly kind?: 'operational' | undefined;
}

/**
 * Events of a channel by what is known of them, newest first. One filter, the one that lets fewest pass as a rule, is an index that is walked; what it finds is
 * held against the others.
 */
export function eventList(db: DatabaseSync) {
  const inChannel = 'SELECT id FROM events WHERE channel_id = ?1';
  const newestFirst = 'id >= ?2 AND id < ?3 ORDER BY id DESC';
  const all = idsOf(db, `${inChannel} AND ${newestFirst}`);
  const named = idsOf(db, `${inChannel} AND event_name = ?4 AND ${newestFirst}`);
  const referred = idsOf(db, `${inChannel} AND ext_ref_code = ?4 AND ${newestFirst}`);
  const operational = idsOf(db, `${inChannel} AND kind IS NOT NULL AND ${newestFirst}`);
  const withStatus = idsBelow(
    db,
    `SELECT max(event_id) AS id FROM deliveries
     WHERE channel_id = ?1 AND status = ?4 AND event_id >= ?2 AND event_id < ?3`,
  );
  const hasStatus = db.prepare('SELECT 1 FROM deliveries WHERE channel_id = ? AND status = ? AND event_id = ? LIMIT 1');
  const row = db.prepare(`
    SELECT state FROM events
    WHERE id = ?1 AND (?2 IS NULL OR event_name = ?2) AND (?3 IS NULL OR ext_ref_code = ?3) AND kind IS ?4`);

  /** The ids that are walked, and the status that has yet to be looked at. */
  function walk(channelId: number, { event_name, ext_ref_code, status, kind }: EventFilter, range: Range): Walk {
    const bounds = boundsOf(range);
    if (kind !== undefined) return { ids: operational(channelId, bounds), status };
    if (ext_ref_code !== undefined) return { ids: referred(channelId, bounds, ext_ref_code), status };
    const isByName = event_name !== undefined && (status === undefined || status === 'delivered');
    if (isByName) return { ids: named(channelId, bounds, event_name), status };
    return { ids: status === undefined ? all(channelId, bounds) : withStatus(channelId, bounds, status) };
  }

  return (channelId: number, filter: EventFilter, range: Range): ListPart<PublishedEvent> => {
    const { event_name = null, ext_ref_code = null, kind = null } = filter;
    const { ids, status } = walk(channelId, filter, range);
    const find = (id: number) =>
      status === undefined || hasStatus.get(channelId, status, id)
        ? (row.get(id, event_name, ext_ref_code, kind) as { state: string } | undefined)
        : undefined;
    const show = ({ state }: { state: string }) => JSON.parse(state) as PublishedEvent;
    return partOf(ids, range.limit, { find, show });
  };
}

interface Walk {
  readonly ids: Iterable<number>;
  readonly status?: DeliveryStatus | undefined;
}
