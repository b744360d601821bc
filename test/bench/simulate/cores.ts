import type { Timeline } from './timeline.ts';

interface Running {
  leftMs: number;
  readonly done: () => void;
}

/** Below what is left over by rounding, in ms. */
const NOTHING_MS = 1e-6;

export type Cores = ReturnType<typeof createCores>;

/**
 * The cores of a machine, which all that runs on it share evenly, as a fair scheduler has them do (processor sharing); nothing runs on more than one at a time. What
 * a switch between threads costs, and the length of time slices, is left out.
 */
export function createCores(timeline: Timeline, count: number) {
  let running: Running[] = [];
  let sinceMs = 0;
  let busyMs = 0;
  /** Tells the end that was reckoned last from those that no longer hold. */
  let reckoned = 0;
  let isFinishing = false;

  const speed = () => Math.min(1, count / running.length);

  function advance() {
    const passedMs = timeline.nowMs() - sinceMs;
    sinceMs = timeline.nowMs();
    if (running.length === 0 || passedMs === 0) return;
    const eachMs = passedMs * speed();
    busyMs += eachMs * running.length;
    for (const job of running) job.leftMs -= eachMs;
  }

  function reckon() {
    reckoned += 1;
    if (running.length === 0) return;
    const ofThis = reckoned;
    let leastMs = Number.POSITIVE_INFINITY;
    for (const { leftMs } of running) if (leftMs < leastMs) leastMs = leftMs;
    timeline.after(Math.max(0, leastMs) / speed(), () => {
      if (ofThis === reckoned) finish();
    });
  }

  function finish() {
    advance();
    const ended = running.filter(({ leftMs }) => leftMs <= NOTHING_MS);
    running = running.filter(({ leftMs }) => leftMs > NOTHING_MS);
    isFinishing = true;
    for (const { done } of ended) done();
    isFinishing = false;
    reckon();
  }

  return {
    count,
    /** @param cpuMs what it takes on a core of its own */
    run(cpuMs: number, done: () => void): void {
      advance();
      running.push({ leftMs: cpuMs, done });
      if (!isFinishing) reckon();
    },
    /** CPU time given so far, by all cores together, in ms. */
    busyMs(): number {
      advance();
      return busyMs;
    },
  };
}
