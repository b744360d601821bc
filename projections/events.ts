import type { DatabaseSync } from 'node:sqlite';
import type { PublishedEvent } from '../domain/event.ts';
import type { Projection } from './projection.ts';

/** Published events by id. */
export const events: Projection = {
  name: 'events',
  schema: `
    CREATE TABLE IF NOT EXISTS events (
      id INTEGER PRIMARY KEY, channel_id INTEGER NOT NULL, position INTEGER NOT NULL, state TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS events_by_channel ON events (channel_id, id);`,
  prepare(db) {
    const insert = db.prepare(
      'INSERT INTO events (id, channel_id, position, state) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    );
    return (fact) => {
      if (fact.type !== 'EventPublished') return;
      insert.run(fact.data.id, fact.data.channel_id, fact.position, JSON.stringify(fact.data));
    };
  },
};

export type EventQueries = ReturnType<typeof eventQueries>;

export function eventQueries(db: DatabaseSync) {
  const byId = db.prepare('SELECT state FROM events WHERE id = ? AND channel_id = ?');
  const position = db.prepare('SELECT position FROM events WHERE id = ?');
  const text = db.prepare('SELECT state FROM events WHERE id = ?');
  const page = db.prepare('SELECT state FROM events WHERE channel_id = ? AND id < ? ORDER BY id DESC LIMIT ?');
  const largest = db.prepare('SELECT max(id) AS id FROM events');
  const event = (row: unknown) => JSON.parse((row as { state: string }).state) as PublishedEvent;
  return {
    byId: (channelId: number, id: number): PublishedEvent | undefined => {
      const row = byId.get(id, channelId);
      return row && event(row);
    },
    /** The event as JSON: what is POSTed to its webhooks. */
    json: (id: number): string | undefined => (text.get(id) as { state: string } | undefined)?.state,
    /** Where in the log it was published. */
    position: (id: number): number | undefined => (position.get(id) as { position: number } | undefined)?.position,
    /** Newest first, from the first below `after`. */
    page: (channelId: number, { after, limit }: { after?: number | undefined; limit: number }): PublishedEvent[] =>
      page.all(channelId, after ?? Number.MAX_SAFE_INTEGER, limit).map(event),
    largestId: (): number => (largest.get() as { id: number | null }).id ?? 0,
  };
}
