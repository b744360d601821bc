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
 * only then. Rows that are being rebuilt count as behind until they are again where they were: before that they would show as pending what
 * was delivered long ago.
 * @param current reads the position of the last fact in the rows
 * @param head position that the log had reached when the reader started: rows before it are behind
 */
export function createProgress(current: () => number, head = -1, nowMs: () => number = () => performance.now()) {
  let highest = head;
  let waiters: Waiter[] = [];
  let isLooking = false;

  /** What may be relied on: -1 while the rows are behind themselves. */
  function reached(): number {
    const position = current();
    if (position < highest) return -1;
    highest = position;
    return position;
  }

  function look() {
    const position = reached();
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
    head,
    current,
    reached,
    /** Resolves to true once the fact at `position` is in the rows, to false where that takes longer than `timeoutMs`. */
    whenProcessed(position: number, timeoutMs: number): Promise<boolean> {
      if (reached() >= position) return Promise.resolve(true);
      return new Promise((resolve) => {
        waiters.push({ position, deadlineMs: nowMs() + timeoutMs, resolve });
        if (!isLooking) setTimeout(look, LOOK_MS);
        isLooking = true;
      });
    },
  };
}
