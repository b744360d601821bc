import { pause } from './pause.ts';

/** Waits that grow from 100 ms to 5 s; `reset` after a success. */
export function createBackoff(firstMs = 100, longestMs = 5_000) {
  let nextMs = firstMs;
  return {
    reset() {
      nextMs = firstMs;
    },
    /** Resolves after the next wait, or at once when `signal` aborts. */
    async wait(signal: AbortSignal): Promise<void> {
      const ms = nextMs;
      nextMs = Math.min(nextMs * 2, longestMs);
      await pause(ms, signal);
    },
  };
}
