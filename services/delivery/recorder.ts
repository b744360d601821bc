import type { NewFact } from '../../domain/facts.ts';
import { createBackoff } from '../../infra/backoff.ts';
import type { Appended, EventStore } from '../../infra/event-store/client.ts';
import { createCoalescer } from '../../infra/event-store/coalescer.ts';
import { StoreUnavailable } from '../../infra/event-store/errors.ts';
import type { Logger } from '../../infra/log.ts';

/** Outcomes that may wait to be recorded before the recorder is held up. */
const WAITING = 256;
/** How long an append may take before the recorder is held up, in ms. */
const SLOW_MS = 250;

/**
 * Appends outcomes, many at a time, until they are durable: the POSTs have happened and cannot be taken back. What an append of unknown outcome held is
 * repeated as it was: the store recognises a repetition by its first fact, not one that stands behind a new one.
 * @param signal ends the repetitions: what waits then rejects
 * @param nowMs a monotonic clock
 */
export function createRecorder(store: EventStore, log: Logger, signal: AbortSignal, nowMs: () => number) {
  /** The appends under way: when each began, in that order, and whether the store has failed it. */
  const appends = new Set<{ readonly sinceMs: number; hasFailed: boolean }>();
  let waiting = 0;

  const coalescer = createCoalescer(async (stream, facts) => {
    const append = { sinceMs: nowMs(), hasFailed: false };
    const backoff = createBackoff();
    appends.add(append);
    try {
      for (;;) {
        try {
          return await store.append(stream, facts, 'any');
        } catch (error) {
          signal.throwIfAborted();
          append.hasFailed = error instanceof StoreUnavailable;
          log.warn({ err: error, stream, facts: facts.length }, 'attempts could not be recorded, trying again');
          await backoff.wait(signal);
        }
      }
    } finally {
      appends.delete(append);
    }
  });

  return {
    /** Whether the store does not keep up: no POST is to begin then, since a crash makes each whose outcome is not recorded be made again. */
    isHeldUp(): boolean {
      const [oldest] = appends;
      return waiting >= WAITING || (oldest !== undefined && (oldest.hasFailed || nowMs() - oldest.sinceMs > SLOW_MS));
    },
    async append(stream: string, fact: NewFact, bytes: number): Promise<Appended> {
      waiting += 1;
      try {
        return await coalescer.append(stream, [fact], bytes);
      } finally {
        waiting -= 1;
      }
    },
  };
}
