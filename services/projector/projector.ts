import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventStore, LogBatch } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { isDamagedFile } from '../../infra/sqlite.ts';
import { createReadModels, readModels, readModelWriter } from '../../projections/read-models.ts';

/** How often a long catch-up says how far it is, in ms. */
const PROGRESS_MS = 5_000;

export interface ProjectorDeps {
  readonly db: DatabaseSync;
  readonly store: EventStore;
  readonly log: Logger;
  /** Told where the database turns out to be damaged. */
  readonly onDamage?: () => void;
  /** Told of each batch that is in the read models: how many facts, and how long it took, in ms. */
  readonly onBatch?: (facts: number, tookMs: number) => void;
}

/** Folds the log into the read models, from their checkpoint on: the only writer of their database. */
export function createProjector({ db, store, log, onDamage = () => {}, onBatch = () => {} }: ProjectorDeps): Service {
  createReadModels(db);
  const writer = readModelWriter(db);
  const { position } = readModels(db);

  function apply({ facts, position }: LogBatch) {
    const beganMs = performance.now();
    try {
      writer.apply(facts, position);
      onBatch(facts.length, performance.now() - beganMs);
    } catch (error) {
      if (isDamagedFile(error)) onDamage();
      throw error;
    }
  }

  return createLoop('projector', log, async (signal, working) => {
    const say = progressSayer(log);
    for await (const batch of store.follow({ after: position(), signal })) {
      apply(batch);
      working();
      say(batch.facts.length, batch.position);
      // What has come meanwhile goes together: a commit costs as much as tens of facts.
      await nextTurn();
    }
  });
}

function progressSayer(log: Logger) {
  let facts = 0;
  let sinceMs = performance.now();
  return (count: number, position: number) => {
    facts += count;
    const tookMs = performance.now() - sinceMs;
    if (tookMs < PROGRESS_MS) return;
    log.info({ facts, position, facts_per_s: Math.round((facts / tookMs) * 1_000) }, 'projected');
    facts = 0;
    sinceMs = performance.now();
  };
}
