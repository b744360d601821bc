import type { Metrics } from '../../infra/metrics/metrics.ts';
import { METRICS } from '../../infra/metrics/names.ts';
import { METHODS } from './route.ts';

const KNOWN_METHODS: ReadonlySet<string> = new Set([...METHODS, 'OPTIONS']);

export type RequestFigures = ReturnType<typeof createRequestFigures>;

/** What is counted of requests: by the pattern of their route, never by what they put into it. */
export function createRequestFigures(metrics: Metrics) {
  const requests = metrics.counter(METRICS.httpRequests);
  const duration = metrics.histogram(METRICS.httpDuration);
  const accepted = metrics.counter(METRICS.eventsAccepted);
  let inFlight = 0;
  metrics.lookUp(METRICS.httpInFlight, () => inFlight);
  return {
    begun(): void {
      inFlight += 1;
    },
    /** @param path of the route; absent where there was none */
    answered(asked: string, path: string | undefined, status: number, tookMs: number): void {
      inFlight -= 1;
      const method = KNOWN_METHODS.has(asked) ? asked : 'other';
      const route = path ?? 'none';
      requests.inc({ method, route, status });
      duration.observe({ method, route }, tookMs / 1_000);
    },
    accepted: (events: number): void => accepted.inc(events),
  };
}
