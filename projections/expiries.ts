import type { DatabaseSync } from 'node:sqlite';
import type { Projection } from './projection.ts';

/** Events, and deliveries of them, that one fact lets go at most. */
const EVENTS = 250;
const DELIVERIES = 2_500;

/**
 * The channels whose events have expired and whose streams are yet to be truncated. After `erasures`, whose channels go by
 * themselves, and before `events`, which then forgets them.
 */
export const expiries: Projection = {
  name: 'expiries',
  schema: `
    CREATE TABLE IF NOT EXISTS expired_channels (id INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS expired (one INTEGER PRIMARY KEY CHECK (one = 1), largest_id INTEGER NOT NULL) STRICT;`,
  prepare(db) {
    const note = db.prepare(`
      INSERT INTO expired_channels
      SELECT DISTINCT channel_id FROM events
      WHERE id >= ? AND id < ? AND id NOT IN (SELECT value FROM json_each(?))
        AND channel_id NOT IN (SELECT channel_id FROM erasures)
      ON CONFLICT DO NOTHING`);
    const noteLargest = db.prepare(`
      INSERT INTO expired VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET largest_id = max(largest_id, excluded.largest_id)`);
    const forget = db.prepare('DELETE FROM expired_channels WHERE id = ?');
    return (fact) => {
      if (fact.type === 'EventsExpired') {
        const { from, below, kept } = fact.data;
        note.run(from, below, JSON.stringify(kept));
        noteLargest.run(below - 1);
      }
      if (fact.type === 'StreamsTruncated' || fact.type === 'ErasureRequested') forget.run(fact.data.channel_id);
    };
  },
};

/** Some of the oldest events, and which of them have deliveries that are not over. */
export interface OldEvents {
  readonly from: number;
  readonly below: number;
  readonly kept: readonly number[];
  readonly count: number;
}

export type ExpiryQueries = ReturnType<typeof expiryQueries>;

export function expiryQueries(db: DatabaseSync) {
  const oldest = db.prepare(`SELECT id FROM events WHERE id >= ? AND id < ? ORDER BY id LIMIT ${EVENTS}`);
  const deliveries = db.prepare(`
    SELECT count(*) AS count, max(status = 'pending') AS pending FROM deliveries WHERE event_id = ?`);
  const channel = db.prepare('SELECT id FROM expired_channels WHERE id > ? ORDER BY id LIMIT 1');
  const failing = db.prepare(`
    SELECT webhook_id, since FROM webhooks JOIN failing ON webhook_id = id WHERE channel_id = ? AND live = 1`);
  const told = db.prepare(`
    SELECT webhook_id, at_ms FROM webhooks JOIN failing_told ON webhook_id = id WHERE channel_id = ?`);
  const largest = db.prepare('SELECT largest_id AS id FROM expired WHERE one = 1');
  return {
    /** A page of the events with ids from `from` on and below `before`, so many that it does not take long to let them go; undefined where there are none. */
    oldest(from: number, before: number): OldEvents | undefined {
      const kept: number[] = [];
      let [below, found, count] = [from, 0, 0];
      for (const { id } of oldest.iterate(from, before) as Iterable<unknown> as Iterable<{ id: number }>) {
        const of = deliveries.get(id) as { count: number; pending: number | null };
        found += of.count;
        if (count > 0 && found > DELIVERIES) break;
        if (of.pending) kept.push(id);
        below = id + 1;
        count += 1;
      }
      return count === 0 ? undefined : { from, below, kept, count };
    },
    /** The next of the channels whose streams are yet to be truncated. */
    channelAfter: (id: number): number | undefined => (channel.get(id) as { id: number } | undefined)?.id,
    /** The webhooks of a channel that fail, and since when. */
    failing: (channelId: number): { webhook_id: number; since: string }[] =>
      failing.all(channelId) as unknown as { webhook_id: number; since: string }[],
    /** When it was last told of each webhook of a channel that it fails. */
    told: (channelId: number): { webhook_id: number; at_ms: number }[] =>
      told.all(channelId) as unknown as { webhook_id: number; at_ms: number }[],
    largestId: (): number => (largest.get() as { id: number } | undefined)?.id ?? 0,
  };
}
