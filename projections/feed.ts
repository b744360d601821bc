import type { DatabaseSync } from 'node:sqlite';
import type { PublishedEvent } from '../domain/event.ts';
import { idsOf } from './ids-of.ts';
import { partOf } from './part.ts';

/** What comes behind a place in the log. */
export interface FeedPart {
  readonly events: readonly PublishedEvent[];
  /** Place in the log of the last publication that was looked at; where there was none, the one that was asked for. */
  readonly position: number;
  /** Whether the read models have nothing behind that. */
  readonly isEnd: boolean;
}

/** Events of a webhook in the order of the log: the projector follows that, so nothing is ever put in before what is there. */
export function feedQueries(db: DatabaseSync) {
  const behind = idsOf(
    db,
    `SELECT position AS id FROM events
     WHERE channel_id = ?1 AND position >= ?2 AND position < ?3 ORDER BY position`,
  );
  const own = db.prepare(`
    SELECT events.state FROM events JOIN deliveries ON event_id = id AND webhook_id = ?3
    WHERE events.channel_id = ?1 AND events.position = ?2`);
  const newest = db.prepare('SELECT max(position) AS position FROM events WHERE channel_id = ?');
  return {
    /** From the first behind the position `after`. */
    behind(webhook: { readonly id: number; readonly channel_id: number }, after: number, limit: number): FeedPart {
      let position = after;
      const find = (at: number) => {
        position = at;
        return own.get(webhook.channel_id, at, webhook.id) as { state: string } | undefined;
      };
      const show = ({ state }: { state: string }) => JSON.parse(state) as PublishedEvent;
      const positions = behind(webhook.channel_id, { from: after + 1, below: Number.MAX_SAFE_INTEGER });
      const { items, next } = partOf(positions, limit, { find, show });
      return { events: items, position, isEnd: next === undefined };
    },
    /** Where in the log the newest event of a channel was published; -1 where it has none. */
    newestIn: (channelId: number): number => (newest.get(channelId) as { position: number | null }).position ?? -1,
  };
}
