/** How often the checkpoint is looked at while somebody waits for it, in ms. */
const LOOK_MS = 1;

interface Waiter {
  readonly position: number;
  readonly deadlineMs: number;
  readonly resolve: (reached: boolean) => void;
}

export type Progress = ReturnType<typeof createProgress>;

/**
 * Lets readers wait for the projector, which may be another process: the checkpoint is looked at while somebody waits, and
 * only then.
 * @param current reads the position of the last fact in the rows
 */
export function createProgress(current: () => number, nowMs: () => number = () => performance.now()) {
  let waiters: Waiter[] = [];
  let isLooking = false;

  function look() {
    const position = current();
    const now = nowMs();
    const waiting: Waiter[] = [];
    for (const waiter of waiters) {
      if (waiter.position <= position) waiter.resolve(true);
      else if (waiter.deadlineMs <= now) waiter.resolve(false);
      else waiting.push(waiter);
    }
    waiters = waiting;
    isLooking = waiters.length > 0;
    if (isLooking) setTimeout(look, LOOK_MS);
  }

  return {
    current,
    /** Resolves to true once the fact at `position` is in the rows, to false where that takes longer than `timeoutMs`. */
    whenProcessed(position: number, timeoutMs: number): Promise<boolean> {
      if (current() >= position) return Promise.resolve(true);
      return new Promise((resolve) => {
        waiters.push({ position, deadlineMs: nowMs() + timeoutMs, resolve });
        if (!isLooking) setTimeout(look, LOOK_MS);
        isLooking = true;
      });
    },
  };
}
