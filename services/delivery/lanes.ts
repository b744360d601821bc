/** Attempts under way at a time for one webhook: at first, at the least, at the most. */
const FIRST = 16;
const LEAST = 4;
const MOST = 64;
/** What is expected of an attempt at a webhook that is not known yet, in ms. */
const GUESS_MS = 10;
/** The weight of the newest duration in the average. */
const WEIGHT = 0.1;
/** The shortest wait that is handed out, in ms: less is not worth a round trip to the queue. */
const SHORTEST_WAIT_MS = 20;
/** The longest wait that is handed out while few wait, in ms; and how many of those that wait may come back a second where they are many. */
const LONGEST_WAIT_MS = 1_000;
const RETURNS_PER_S = 250;
/** For how long, in ms and in averages, a webhook may give no answer to what is under way before it counts as failing: a time limit is far longer. */
const SILENCE_MS = 1_000;
const SILENCE_AVERAGES = 4;
/** Webhooks whose standing is remembered while nothing is under way for them. */
const REMEMBERED = 20_000;

/** What the last attempt says about a webhook: none yet, it answered, it did not. */
type Standing = 'fresh' | 'proven' | 'failing';

interface Lane {
  standing: Standing;
  limit: number;
  averageMs: number;
  lastAnswerMs: number;
  /** When the next delivery that finds no room has its turn. */
  nextTurnMs: number;
  /** The attempts under way by their beginnings, the oldest first. */
  readonly underWay: Set<{ readonly sinceMs: number }>;
}

export type Lanes = ReturnType<typeof createLanes>;

/**
 * Keeps webhooks that are slow, or hang, from taking the room of others. Each has a limit that grows with every answer and halves with every attempt
 * that got none (additive increase, multiplicative decrease), and all that are failing together have a share of the room, as have all that are not known yet.
 * What finds no room is told when its turn is likely to come, one after the other, so that it comes back once and not again and again; but no later than
 * the queue can bear: a wait cannot be called off, and a webhook that hangs now may answer again in a moment.
 * @param room attempts under way at a time for all webhooks together
 * @param nowMs a monotonic clock
 */
export function createLanes(room: number, nowMs: () => number) {
  const lanes = new Map<number, Lane>();
  const share: Readonly<Record<Standing, number>> = { fresh: room / 4, failing: room / 4, proven: room };
  const taken: Record<Standing, number> = { fresh: 0, failing: 0, proven: 0 };
  const turns = createTurns(nowMs);

  function laneOf(webhookId: number): Lane {
    let lane = lanes.get(webhookId);
    if (!lane) {
      lane = {
        standing: 'fresh',
        limit: FIRST,
        averageMs: GUESS_MS,
        lastAnswerMs: 0,
        nextTurnMs: 0,
        underWay: new Set(),
      };
      lanes.set(webhookId, lane);
      forgetOldest();
    }
    return lane;
  }

  function forgetOldest() {
    if (lanes.size <= REMEMBERED) return;
    for (const [webhookId, { underWay }] of lanes) {
      if (underWay.size > 0) continue;
      lanes.delete(webhookId);
      return;
    }
  }

  /** Whether a webhook has fallen silent: what hangs is known to fail only once its time is up, and would fill the room until then. */
  function isSilent({ underWay, lastAnswerMs, averageMs }: Lane): boolean {
    const [oldest] = underWay;
    if (!oldest) return false;
    return nowMs() - Math.max(oldest.sinceMs, lastAnswerMs) > Math.max(SILENCE_MS, SILENCE_AVERAGES * averageMs);
  }

  const standingOf = (lane: Lane): Standing => (isSilent(lane) ? 'failing' : lane.standing);

  function hasRoom(lane: Lane): boolean {
    const standing = standingOf(lane);
    const limit = standing === 'failing' && lane.standing !== 'failing' ? LEAST : lane.limit;
    return lane.underWay.size < limit && taken[standing] < share[standing];
  }

  /** An attempt that is still under way has taken at least as long as it has been. */
  function expectedMs({ averageMs, underWay }: Lane): number {
    const [oldest] = underWay;
    return oldest ? Math.max(averageMs, nowMs() - oldest.sinceMs) : averageMs;
  }

  return {
    /** 0 where there is room for an attempt; else a turn is set aside, so many ms from now. */
    waitMs(webhookId: number): number {
      const lane = laneOf(webhookId);
      if (hasRoom(lane)) return 0;
      const now = nowMs();
      const durationMs = expectedMs(lane);
      const nextTurnMs = Math.max(lane.nextTurnMs, now + durationMs) + durationMs / lane.limit;
      const longestMs = Math.max(LONGEST_WAIT_MS, (turns.ahead() / RETURNS_PER_S) * 1_000);
      lane.nextTurnMs = Math.min(nextTurnMs, now + longestMs);
      const waitMs = Math.max(SHORTEST_WAIT_MS, Math.round(lane.nextTurnMs - now));
      turns.add(waitMs);
      return waitMs;
    },

    /** Takes room for an attempt; to be given back once, with whether there was an answer at all. */
    enter(webhookId: number): (answered: boolean) => void {
      const lane = laneOf(webhookId);
      const attempt = { sinceMs: nowMs() };
      const enteredAs = standingOf(lane);
      lane.underWay.add(attempt);
      taken[enteredAs] += 1;
      return (answered) => {
        lane.underWay.delete(attempt);
        taken[enteredAs] -= 1;
        const now = nowMs();
        const durationMs = now - attempt.sinceMs;
        if (answered) lane.lastAnswerMs = now;
        const isBack = answered && lane.standing === 'failing';
        if (isBack) lane.nextTurnMs = 0;
        lane.averageMs = isBack ? durationMs : lane.averageMs + WEIGHT * (durationMs - lane.averageMs);
        lane.limit = answered ? Math.min(lane.limit + 1, MOST) : Math.max(Math.floor(lane.limit / 2), LEAST);
        lane.standing = answered ? 'proven' : 'failing';
      };
    },
  };
}

/** How many turns lie ahead, to the second: all webhooks share what coming back costs. */
function createTurns(nowMs: () => number) {
  const bySecond = new Map<number, number>();
  let ahead = 0;
  let passed = 0;
  return {
    ahead(): number {
      const now = Math.floor(nowMs() / 1_000);
      if (now === passed) return ahead;
      passed = now;
      for (const [second, count] of bySecond) {
        if (second >= now) continue;
        bySecond.delete(second);
        ahead -= count;
      }
      return ahead;
    },
    add(inMs: number): void {
      const second = Math.floor((nowMs() + inMs) / 1_000);
      bySecond.set(second, (bySecond.get(second) ?? 0) + 1);
      ahead += 1;
    },
  };
}
