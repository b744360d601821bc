import type { DatabaseSync } from 'node:sqlite';
import type { PublishedEvent } from '../domain/event.ts';
import { idsOf } from './ids-of.ts';
import { partOf } from './part.ts';

/** An event, and where in the log it was published. */
export interface PlacedEvent {
  readonly event: PublishedEvent;
  readonly position: number;
}

/** What comes behind a place in the log. */
export interface FeedPart {
  readonly found: readonly PlacedEvent[];
  /** Place in the log of the last publication that was looked at; where there was none, the one that was asked for. */
  readonly position: number;
  /** Whether the read models have nothing behind that. */
  readonly isEnd: boolean;
}

type Row = { readonly state: string; readonly position: number } | undefined;

/** Events in the order of the log: the projector follows that, so nothing is ever put in before what is there. */
export function feedQueries(db: DatabaseSync) {
  const placesBehind = idsOf(
    db,
    `SELECT position AS id FROM events
     WHERE channel_id = ?1 AND position >= ?2 AND position < ?3 ORDER BY position`,
  );
  const at = db.prepare('SELECT state, position FROM events WHERE channel_id = ? AND position = ? AND kind IS NULL');
  const ownAt = db.prepare(`
    SELECT events.state, events.position FROM events JOIN deliveries ON event_id = id AND webhook_id = ?3
    WHERE events.channel_id = ?1 AND events.position = ?2`);
  const newest = db.prepare('SELECT max(position) AS position FROM events WHERE channel_id = ?');

  function partBehind(channelId: number, after: number, limit: number, rowAt: (position: number) => Row): FeedPart {
    let position = after;
    const find = (place: number) => {
      position = place;
      return rowAt(place);
    };
    const show = ({ state, position }: NonNullable<Row>) => ({ event: JSON.parse(state) as PublishedEvent, position });
    const places = placesBehind(channelId, { from: after + 1, below: Number.MAX_SAFE_INTEGER });
    const { items, next } = partOf(places, limit, { find, show });
    return { found: items, position, isEnd: next === undefined };
  }

  return {
    /** Of a webhook, from the first behind the position `after`. */
    behind: ({ id, channel_id }: { readonly id: number; readonly channel_id: number }, after: number, limit: number) =>
      partBehind(channel_id, after, limit, (position) => ownAt.get(channel_id, position, id) as Row),
    /** The same of a whole channel, without what operational webhooks are told. */
    behindInChannel: (channelId: number, after: number, limit: number) =>
      partBehind(channelId, after, limit, (position) => at.get(channelId, position) as Row),
    /** Where in the log the newest event of a channel was published; -1 where it has none. */
    newestIn: (channelId: number): number => (newest.get(channelId) as { position: number | null }).position ?? -1,
  };
}
