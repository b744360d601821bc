/** For how long back it is remembered where a reader was, in ms; and what it must be behind, at the least, before its speed says anything. */
const WINDOW_MS = 2_000;
const LEAST_MS = 1_000;
/** What has not advanced for so long is not slow, it is away, in ms. */
export const STILL_MS = 1_500;
/** By how much an outage's backlog must shrink in each ms, at the least, to stay excused. */
const SHRINKING = 0.1;

interface Look {
  readonly atMs: number;
  readonly reached: number;
  readonly written: number;
}

export type ReaderLag = ReturnType<typeof createReaderLag>;

/**
 * How long what is appended now is going to wait for a reader of the log: what lies before it, by the speed at which the reader has gone since it is behind. The
 * age of what it has reached would tell too late: of a flood that is five seconds old, much more has been accepted than five seconds can work off.
 */
export function createReaderLag() {
  let looks: Look[] = [];
  let advancedMs = Number.NEGATIVE_INFINITY;
  /** Whether it was away, and it is not known yet how fast it is now. */
  let isBack = true;

  function remember(look: Look) {
    const last = looks.at(-1);
    if (last && look.reached < last.reached) {
      // It reads all of it anew.
      looks = [];
      isBack = true;
    } else if (last && look.reached > last.reached) {
      advancedMs = look.atMs;
    }
    looks.push(look);
    while (looks[1] && looks[1].atMs <= look.atMs - WINDOW_MS) looks.shift();
  }

  return {
    /**
     * @param written where the newest append ended
     * @param reached where the reader is
     * @returns ms; undefined where that is not known, or the reader does not move at all
     */
    waitMs(atMs: number, written: number, reached: number): number | undefined {
      remember({ atMs, reached, written });
      // At that look there was something already that it has not reached yet: it was behind from then on.
      const since = looks.find((look) => look.written > reached);
      if (!since) {
        advancedMs = atMs;
        isBack = false;
        return 0;
      }
      if (atMs - advancedMs > STILL_MS) isBack = true;
      const behindMs = atMs - since.atMs;
      const perMs = (reached - since.reached) / behindMs;
      if (behindMs < LEAST_MS || perMs === 0) return isBack ? undefined : 0;
      isBack = false;
      return (written - reached) / perMs;
    },
  };
}

/**
 * Leaves out of a wait what an outage has left behind: that is worked off, and no reason to refuse anything as long as it shrinks.
 */
export function createExcuse() {
  let excusedMs = Number.POSITIVE_INFINITY;
  let lastMs = 0;
  return {
    /** @param waitMs undefined during an outage */
    inExcess(atMs: number, waitMs: number | undefined): number {
      const shrunkMs = excusedMs - SHRINKING * (atMs - lastMs);
      lastMs = atMs;
      excusedMs = waitMs === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Math.min(shrunkMs, waitMs));
      return waitMs === undefined ? 0 : waitMs - excusedMs;
    },
  };
}
