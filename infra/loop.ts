import { createBackoff } from './backoff.ts';
import type { Service } from './lifecycle.ts';
import type { Logger } from './log.ts';

/**
 * A service that is one long-running loop. Where the loop throws, the error is logged and the loop begins anew after a wait
 * that grows while it goes on failing.
 * @param run returns only when `signal` aborts; calls `working` whenever it has got something done
 */
export function createLoop(
  name: string,
  log: Logger,
  run: (signal: AbortSignal, working: () => void) => Promise<void>,
): Service {
  const abort = new AbortController();
  let running: Promise<void> | undefined;

  async function repeat() {
    const backoff = createBackoff();
    while (!abort.signal.aborted) {
      try {
        await run(abort.signal, backoff.reset);
      } catch (error) {
        if (abort.signal.aborted) return;
        log.error({ err: error }, `${name} failed, trying again`);
      }
      await backoff.wait(abort.signal);
    }
  }

  return {
    name,
    start: async () => {
      running = repeat();
    },
    stop: async () => {
      abort.abort();
      await running;
    },
  };
}
