import type { TraceContext } from './traceparent.ts';

/** How many requests a second, and at once, may ask by their own `traceparent` for their trace to be sampled. */
const FORCED_PER_S = 50;
const AT_ONCE = 100;

/**
 * Keeps callers from having as much recorded as they like: those beyond the bound are carried on unsampled.
 * @param nowMs a monotonic clock
 */
export function createForcing(nowMs: () => number) {
  let left = AT_ONCE;
  let lastMs = nowMs();
  return {
    within(context: TraceContext | undefined): TraceContext | undefined {
      if (!context?.isSampled) return context;
      const now = nowMs();
      left = Math.min(AT_ONCE, left + ((now - lastMs) / 1_000) * FORCED_PER_S);
      lastMs = now;
      if (left < 1) return { ...context, isSampled: false };
      left -= 1;
      return context;
    },
  };
}
