import type { DatabaseSync } from 'node:sqlite';
import type { EventStore, LogBatch } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { clearTraces, isDamagedFile } from '../../infra/sqlite.ts';
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

  const traces = traceClearer(db);

  const loop = createLoop('projector', log, async (signal, working) => {
    const say = progressSayer(log);
    for await (const batch of store.follow({ after: position(), signal })) {
      apply(batch);
      if (batch.facts.some(({ type }) => type === 'ErasureFinished')) traces.clear();
      working();
      say(batch.facts.length, batch.position);
    }
  });
  const stop = async () => {
    await loop.stop();
    traces.stop();
  };
  return { ...loop, stop };
}

/** How long to wait where readers are in the way, in ms. */
const AGAIN_MS = 500;

/** Takes out of the file what has been erased, as soon as readers let it. */
function traceClearer(db: DatabaseSync) {
  let again: NodeJS.Timeout | undefined;
  function clear() {
    clearTimeout(again);
    if (!clearTraces(db)) again = setTimeout(clear, AGAIN_MS).unref();
  }
  return { clear, stop: () => clearTimeout(again) };
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
