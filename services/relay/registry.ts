import type { DatabaseSync } from 'node:sqlite';
import type { RecordedFact } from '../../domain/facts.ts';
import { webhookQueries, webhooks } from '../../projections/webhooks.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS relay (
    one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, incarnation TEXT NOT NULL, last_sequence INTEGER NOT NULL
  ) STRICT;
  INSERT INTO relay VALUES (1, -1, '', 0) ON CONFLICT DO NOTHING;`;

/** What the relay knew of the broker when it last committed. */
export interface KnownBroker {
  readonly incarnation: string;
  readonly last_sequence: number;
}

export type Registry = ReturnType<typeof openRegistry>;

/**
 * The relay's own table of webhooks, its place in the log and what it knows of the broker, in one file: an event meets exactly
 * the webhooks that were live at its place in the log, whatever the read models have seen by then.
 */
export function openRegistry(db: DatabaseSync) {
  db.exec(webhooks.schema);
  db.exec(SCHEMA);
  const apply = webhooks.prepare(db);
  const { page } = webhookQueries(db);
  const select = db.prepare('SELECT position, incarnation, last_sequence FROM relay');
  const commit = db.prepare('UPDATE relay SET position = ?, last_sequence = max(last_sequence, ?)');
  const setBroker = db.prepare('UPDATE relay SET incarnation = ?, last_sequence = ?');
  const row = () => select.get() as unknown as KnownBroker & { position: number };

  return {
    position: (): number => row().position,
    broker: (): KnownBroker => row(),
    setBroker: ({ incarnation, last_sequence }: KnownBroker) => void setBroker.run(incarnation, last_sequence),
    apply: (fact: RecordedFact) => apply(fact),
    /** The ids of a channel's live webhooks, a page at a time. */
    *webhookIds(channelId: number): Generator<number> {
      let ids: number[];
      let after = 0;
      do {
        ids = page(channelId, { after, limit: PAGE }).map(({ id }) => id);
        yield* ids;
        after = ids.at(-1) ?? after;
      } while (ids.length === PAGE);
    },
    begin: () => db.exec('BEGIN IMMEDIATE'),
    /** Webhooks, place and sequence together. */
    commit(position: number, lastSequence: number) {
      commit.run(position, lastSequence);
      db.exec('COMMIT');
    },
    rollback: () => db.exec('ROLLBACK'),
  };
}

const PAGE = 250;
