import type { DatabaseSync } from 'node:sqlite';
import type { PublishedEvent } from '../domain/event.ts';
import { erasedChannels } from './erasures.ts';
import type { Projection } from './projection.ts';

/** Published events by id, and by what lists of a channel ask for: name, reference, place in the log. */
export const events: Projection = {
  name: 'events',
  schema: `
    CREATE TABLE IF NOT EXISTS events (
      id INTEGER PRIMARY KEY, channel_id INTEGER NOT NULL, position INTEGER NOT NULL,
      event_name TEXT NOT NULL, ext_ref_code TEXT, published_at TEXT NOT NULL, kind TEXT, traceparent TEXT, state TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS events_by_channel ON events (channel_id, id);
    CREATE INDEX IF NOT EXISTS events_by_name ON events (channel_id, event_name, id);
    CREATE INDEX IF NOT EXISTS events_by_ref ON events (channel_id, ext_ref_code, id) WHERE ext_ref_code IS NOT NULL;
    CREATE INDEX IF NOT EXISTS events_operational ON events (channel_id, id) WHERE kind IS NOT NULL;
    CREATE INDEX IF NOT EXISTS events_in_order ON events (channel_id, position);`,
  prepare(db) {
    const insert = db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
    const erase = db.prepare('DELETE FROM events WHERE channel_id = ? AND id < ?');
    const expire = db.prepare(
      'DELETE FROM events WHERE id >= ? AND id < ? AND id NOT IN (SELECT value FROM json_each(?))',
    );
    const erased = erasedChannels(db);
    return (fact) => {
      if (fact.type === 'ErasureRequested') erased.add(fact.data.channel_id);
      if (fact.type === 'EventsErased') erase.run(fact.data.channel_id, fact.data.below);
      if (fact.type === 'EventsExpired') expire.run(fact.data.from, fact.data.below, JSON.stringify(fact.data.kept));
      if (fact.type !== 'EventPublished' || erased.has(fact.data.channel_id)) return;
      const { id, channel_id, event_name, ext_ref_code = null, published_at, kind = null } = fact.data;
      const columns = [event_name, ext_ref_code, published_at, kind, fact.metadata.traceparent ?? null] as const;
      insert.run(id, channel_id, fact.position, ...columns, JSON.stringify(fact.data));
    };
  },
};

export type EventQueries = ReturnType<typeof eventQueries>;

export function eventQueries(db: DatabaseSync) {
  const byId = db.prepare('SELECT state FROM events WHERE id = ? AND channel_id = ?');
  const position = db.prepare('SELECT position FROM events WHERE id = ?');
  const text = db.prepare('SELECT state FROM events WHERE id = ?');
  const traceparent = db.prepare('SELECT traceparent FROM events WHERE id = ?');
  const largest = db.prepare('SELECT max(id) AS id FROM events');
  const event = (row: unknown) => JSON.parse((row as { state: string }).state) as PublishedEvent;
  return {
    byId: (channelId: number, id: number): PublishedEvent | undefined => {
      const row = byId.get(id, channelId);
      return row && event(row);
    },
    /** The event as JSON: what is POSTed to its webhooks. */
    json: (id: number): string | undefined => (text.get(id) as { state: string } | undefined)?.state,
    /** The span of the request that published it; undefined where there were no traces. */
    traceparent: (id: number): string | undefined =>
      (traceparent.get(id) as { traceparent: string | null } | undefined)?.traceparent ?? undefined,
    /** Where in the log it was published. */
    position: (id: number): number | undefined => (position.get(id) as { position: number } | undefined)?.position,
    largestId: (): number => (largest.get() as { id: number | null }).id ?? 0,
  };
}
