import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventStore, LogBatch } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { clearTraces, isDamagedFile } from '../../infra/sqlite.ts';
import { createReadModels, readModels, readModelWriter } from '../../projections/read-models.ts';

/**
 * How long facts are applied before they are committed and others that share the thread have a turn, in ms: a fact of a channel with thousands of webhooks takes longer than thousands of
 * others, and a relay that is held up for long loses its lease.
 */
const TURN_MS = 100;
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
  /** A monotonic clock; absent: the process's. */
  readonly nowMs?: () => number;
}

/** Folds the log into the read models, from their checkpoint on: the only writer of their database. */
export function createProjector({ db, store, log, ...options }: ProjectorDeps): Service {
  const { onDamage = () => {}, onBatch = () => {}, nowMs = () => performance.now() } = options;
  createReadModels(db);
  const writer = readModelWriter(db);
  const { position } = readModels(db);

  /** @returns how many of the facts are in the read models now */
  function apply({ facts, position }: LogBatch): number {
    const beganMs = nowMs();
    try {
      const applied = writer.apply(facts, position, () => nowMs() - beganMs > TURN_MS);
      onBatch(applied, nowMs() - beganMs);
      return applied;
    } catch (error) {
      if (isDamagedFile(error)) onDamage();
      throw error;
    }
  }

  async function applyInTurns({ facts, position }: LogBatch, signal: AbortSignal) {
    for (let left = facts; ; await nextTurn()) {
      left = left.slice(apply({ facts: left, position }));
      if (left.length === 0 || signal.aborted) return;
    }
  }

  const traces = traceClearer(db);

  const loop = createLoop('projector', log, async (signal, working) => {
    const say = progressSayer(log);
    for await (const batch of store.follow({ after: position(), signal })) {
      await applyInTurns(batch, signal);
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
