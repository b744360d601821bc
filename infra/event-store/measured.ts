import type { Metrics } from '../metrics/metrics.ts';
import { METRICS } from '../metrics/names.ts';
import type { EventStore } from './client.ts';
import { AppendRefused, StoreUnavailable, WrongRevision } from './errors.ts';

/** The same store; what its appends take, and how they fail, is counted. */
export function measured(store: EventStore, metrics: Metrics): EventStore {
  const duration = metrics.histogram(METRICS.appendDuration);
  const failures = metrics.counter(METRICS.appendFailures);
  return {
    ...store,
    async append(...args) {
      const beganMs = performance.now();
      try {
        const appended = await store.append(...args);
        duration.observe((performance.now() - beganMs) / 1_000);
        return appended;
      } catch (error) {
        failures.inc({ reason: reasonOf(error) });
        throw error;
      }
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof WrongRevision) return 'wrong_revision';
  if (error instanceof AppendRefused) return 'refused';
  return error instanceof StoreUnavailable ? 'unavailable' : 'fault';
}
