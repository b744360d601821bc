import type { DatabaseSync } from 'node:sqlite';
import type { RecordedFact } from '../domain/facts.ts';
import { channelQueries, channels } from './channels.ts';
import { deliveries, deliveryQueries } from './deliveries.ts';
import { eventQueries, events } from './events.ts';
import type { Projection } from './projection.ts';
import { webhookQueries, webhooks } from './webhooks.ts';

/** Every read model, in the order in which each fact passes them. */
export const PROJECTIONS: readonly Projection[] = [channels, webhooks, events, deliveries];

/** To be raised when a projection changes what it makes of the facts: rows of another version are rebuilt from the log. */
export const READ_MODEL_VERSION = 2;

const CHECKPOINT = `
  CREATE TABLE IF NOT EXISTS checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL) STRICT;
  INSERT INTO checkpoint VALUES (1, -1) ON CONFLICT DO NOTHING;`;

/** Whether the database holds read models of the version that this code reads. */
export function isCurrent(db: DatabaseSync): boolean {
  return userVersion(db) === READ_MODEL_VERSION;
}

/** Creates the tables; those of another version are dropped first, so that the projector folds the log anew. */
export function createReadModels(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE');
  if (!isCurrent(db)) {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
    for (const { name } of tables) db.exec(`DROP TABLE "${name}"`);
  }
  db.exec(
    [CHECKPOINT, ...PROJECTIONS.map(({ schema }) => schema), `PRAGMA user_version = ${READ_MODEL_VERSION}`].join(';'),
  );
  db.exec('COMMIT');
}

function userVersion(db: DatabaseSync): number {
  return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

/** Writes the read models: a batch of facts and the checkpoint behind it in one transaction. */
export function readModelWriter(db: DatabaseSync) {
  const appliers = PROJECTIONS.map((projection) => projection.prepare(db));
  const setPosition = db.prepare('UPDATE checkpoint SET position = ?1 WHERE position < ?1');
  return {
    /** @param position of the last fact that the batch has taken into account, applied or filtered out */
    apply(facts: readonly RecordedFact[], position: number): void {
      db.exec('BEGIN IMMEDIATE');
      try {
        for (const fact of facts) for (const apply of appliers) apply(fact);
        setPosition.run(position);
        db.exec('COMMIT');
      } catch (error) {
        db.exec('ROLLBACK');
        throw error;
      }
    },
  };
}

export type ReadModels = ReturnType<typeof readModels>;

/** All queries of the read models over one connection. */
export function readModels(db: DatabaseSync) {
  const position = db.prepare('SELECT position FROM checkpoint');
  return {
    /** Position of the last fact in the rows; -1 before the first. */
    position: (): number => (position.get() as { position: number } | undefined)?.position ?? -1,
    channels: channelQueries(db),
    webhooks: webhookQueries(db),
    events: eventQueries(db),
    deliveries: deliveryQueries(db),
  };
}
