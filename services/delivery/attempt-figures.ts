import type { AttemptedDelivery, Delivery } from '../../domain/delivery.ts';
import type { Metrics } from '../../infra/metrics/metrics.ts';
import { METRICS } from '../../infra/metrics/names.ts';

export type AttemptFigures = ReturnType<typeof createAttemptFigures>;

/** What is counted of attempts. */
export function createAttemptFigures(metrics: Metrics) {
  const attempts = metrics.counter(METRICS.attempts);
  const duration = metrics.histogram(METRICS.attemptDuration);
  const firstDelay = metrics.histogram(METRICS.firstAttemptDelay);
  let inFlight = 0;
  metrics.lookUp(METRICS.attemptsInFlight, () => inFlight);
  return {
    begun({ attempts: before, window_from, opened_late }: Delivery, atMs: number): void {
      inFlight += 1;
      if (before.length > 0 || opened_late) return;
      // The gateway's clock may be ahead of ours.
      firstDelay.observe(Math.max(0, atMs - Date.parse(window_from)) / 1_000);
    },
    ended(): void {
      inFlight -= 1;
    },
    recorded(attempted: AttemptedDelivery): void {
      const { outcome, duration_ms } = attempted;
      attempts.inc({ outcome, result: resultOf(attempted) });
      duration.observe({ outcome }, duration_ms / 1_000);
    },
  };
}

/** The class of the status, or what went wrong where there was none. */
function resultOf({ status_code, error }: AttemptedDelivery): string {
  return status_code === null ? (error ?? 'protocol') : `${Math.floor(status_code / 100)}xx`;
}
