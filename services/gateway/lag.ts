/** For how long back it is remembered where a reader was, in ms; and what it must be behind, at the least, before its speed says anything. */
const WINDOW_MS = 2_000;
const LEAST_MS = 1_000;
/** What has not advanced for so long is not slow, it is away, in ms. */
export const STILL_MS = 1_500;
/** By how much of a second's work an outage's backlog must shrink in each second, at the least, to stay excused. */
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
  const excuse = createExcuse();
  let looks: Look[] = [];
  let advancedMs = Number.NEGATIVE_INFINITY;
  /** Whether it was away, and it is not known yet how fast it is now. */
  let isBack = true;
  /** Positions a ms while it is behind; undefined before it has been for long enough. */
  let perMs: number | undefined;

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

  /** Only when it has just advanced: it does so in batches, and when it stops it has not become slow. */
  function measure({ atMs, reached }: Look, since: Look) {
    if (atMs - advancedMs > STILL_MS) isBack = true;
    const behindMs = atMs - since.atMs;
    if (atMs > advancedMs || behindMs < LEAST_MS) return;
    perMs = (reached - since.reached) / behindMs;
    isBack = false;
  }

  return {
    /**
     * @param written where the newest append ended
     * @param reached where the reader is
     * @returns ms, without what an outage has left behind; undefined where the reader does not move, or it is not known how fast
     */
    waitMs(atMs: number, written: number, reached: number): number | undefined {
      const look = { atMs, reached, written };
      remember(look);
      // At that look there was something already that it has not reached yet: it was behind from then on.
      const since = looks.find((earlier) => earlier.written > reached);
      if (!since) {
        advancedMs = atMs;
        isBack = false;
        return excuse.inExcess(atMs, 0);
      }
      measure(look, since);
      const backlog = excuse.inExcess(atMs, isBack ? undefined : written - reached, perMs);
      if (isBack) return undefined;
      return perMs === undefined ? 0 : backlog / perMs;
    },
    /** Whether it is away, or works off what has gathered while it was. */
    isExcused: excuse.isOn,
  };
}

/**
 * Leaves out of a backlog what an outage has left behind: that is worked off, and no reason to refuse anything as long as it shrinks.
 */
export function createExcuse() {
  let excused = Number.POSITIVE_INFINITY;
  let lastMs = 0;
  return {
    isOn: (): boolean => excused > 0,
    /**
     * @param backlog undefined during an outage
     * @param perMs how much of it is worked off in a ms, where that is known
     */
    inExcess(atMs: number, backlog: number | undefined, perMs = 0): number {
      const shrunk = excused - SHRINKING * perMs * (atMs - lastMs);
      lastMs = atMs;
      excused = backlog === undefined ? Number.POSITIVE_INFINITY : Math.max(0, Math.min(shrunk, backlog));
      return backlog === undefined ? 0 : backlog - excused;
    },
  };
}
