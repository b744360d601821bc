import type { DatabaseSync } from 'node:sqlite';
import type { RecordedFact } from '../domain/facts.ts';
import { channelQueries, channels } from './channels.ts';
import { deliveries, deliveryQueries } from './deliveries.ts';
import { deliveryCounts } from './delivery-counts.ts';
import { deliveryList } from './delivery-list.ts';
import { erasureQueries, erasures } from './erasures.ts';
import { eventList } from './event-list.ts';
import { eventQueries, events } from './events.ts';
import { expiries, expiryQueries } from './expiries.ts';
import { feedQueries } from './feed.ts';
import { happeningQueries, happenings } from './happenings.ts';
import { health, healthQueries } from './health.ts';
import type { Projection } from './projection.ts';
import { recoveries, recoveryQueries } from './recoveries.ts';
import { statsQueries } from './stats.ts';
import { webhookQueries, webhooks } from './webhooks.ts';

/** Every read model, in the order in which each fact passes them. */
export const PROJECTIONS: readonly Projection[] = [
  erasures,
  expiries,
  channels,
  health,
  events,
  deliveries,
  recoveries,
  webhooks,
  happenings,
];

/**
 * To be raised when a projection changes what it makes of the facts. Each version has a file of its own, built from the log while the file of
 * an older version is served.
 */
export const READ_MODEL_VERSION = 10;

/**
 * The oldest version whose rows the queries of today can read and the projections of today can go on writing. To be raised to
 * READ_MODEL_VERSION where that is no longer so; where the tables differ, that is seen without it.
 */
export const READABLE_FROM = 0;

const CHECKPOINT = `
  CREATE TABLE IF NOT EXISTS checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL) STRICT;
  INSERT INTO checkpoint VALUES (1, -1) ON CONFLICT DO NOTHING;`;

/** Creates the tables in an empty database; where they are there already, nothing. */
export function createReadModels(db: DatabaseSync): void {
  db.exec(['BEGIN IMMEDIATE', CHECKPOINT, ...PROJECTIONS.map(({ schema }) => schema), 'COMMIT'].join(';'));
}

/** Writes the read models: facts and the checkpoint behind them in one transaction. */
export function readModelWriter(db: DatabaseSync) {
  let ends: (() => void)[] = [];
  const prepare = () => {
    ends = [];
    return PROJECTIONS.map((projection) => projection.prepare(db, (write) => ends.push(write)));
  };
  let appliers = prepare();
  const position = db.prepare('SELECT position FROM checkpoint');
  const setPosition = db.prepare('UPDATE checkpoint SET position = ?1 WHERE position < ?1');
  return {
    /**
     * Facts that are in the rows already are passed over.
     * @param upTo position of the last fact that the batch has taken into account, applied or filtered out
     * @param isEnough asked after each fact whether to leave the others for another time: what a fact takes depends on how many webhooks it concerns
     * @returns how many of the facts are in the rows now
     */
    apply(facts: readonly RecordedFact[], upTo: number, isEnough = () => false): number {
      db.exec('BEGIN IMMEDIATE');
      try {
        const reached = positionIn(position.get());
        let applied = 0;
        for (const fact of facts) {
          if (fact.position > reached) for (const apply of appliers) apply(fact);
          applied += 1;
          if (isEnough()) break;
        }
        for (const write of ends) write();
        setPosition.run(applied === facts.length ? upTo : (facts[applied - 1] as RecordedFact).position);
        db.exec('COMMIT');
        return applied;
      } catch (error) {
        // A full disk has rolled it back already.
        if (db.isTransaction) db.exec('ROLLBACK');
        // What they remember of rows is gone as well.
        appliers = prepare();
        throw error;
      }
    },
  };
}

function positionIn(row: unknown): number {
  return (row as { position: number } | undefined)?.position ?? -1;
}

export type ReadModels = ReturnType<typeof readModels>;

/** All queries of the read models over one connection. */
export function readModels(db: DatabaseSync) {
  const position = db.prepare('SELECT position FROM checkpoint');
  return {
    /** Position of the last fact in the rows; -1 before the first. */
    position: (): number => positionIn(position.get()),
    channels: channelQueries(db),
    webhooks: webhookQueries(db),
    health: healthQueries(db),
    events: eventQueries(db),
    deliveries: deliveryQueries(db),
    recoveries: recoveryQueries(db),
    erasures: erasureQueries(db),
    expiries: expiryQueries(db),
    happenings: happeningQueries(db),
    feed: feedQueries(db),
    stats: statsQueries(db),
    lists: { events: eventList(db), deliveries: deliveryList(db), counts: deliveryCounts(db) },
  };
}
