/** Attempts under way at a time for one webhook: at first, at the least, at the most. */
const FIRST = 16;
const LEAST = 2;
const MOST = 64;
/** The weight of the newest duration in the average. */
const WEIGHT = 0.1;
/** The shortest wait that is handed out, in ms: less is not worth a round trip to the queue. */
const SHORTEST_WAIT_MS = 20;

interface Lane {
  taken: number;
  limit: number;
  averageMs: number;
  /** When the next delivery that finds no room has its turn, on the given clock. */
  nextTurnMs: number;
}

export type Lanes = ReturnType<typeof createLanes>;

/**
 * Keeps a webhook that is slow, or hangs, from taking the room of others: each has a limit that grows with every success and halves with every failure
 * to answer (additive increase, multiplicative decrease). What finds no room is told when its turn is likely to come.
 * @param nowMs a monotonic clock
 */
export function createLanes(nowMs: () => number) {
  const lanes = new Map<number, Lane>();

  function laneOf(webhookId: number): Lane {
    let lane = lanes.get(webhookId);
    if (!lane) {
      lane = { taken: 0, limit: FIRST, averageMs: 10, nextTurnMs: 0 };
      lanes.set(webhookId, lane);
    }
    return lane;
  }

  return {
    /** Takes room for an attempt and returns 0, or returns after how many ms to come back. */
    enter(webhookId: number): number {
      const lane = laneOf(webhookId);
      if (lane.taken < lane.limit) {
        lane.taken += 1;
        return 0;
      }
      const now = nowMs();
      const perTurnMs = lane.averageMs / lane.limit;
      lane.nextTurnMs = Math.max(lane.nextTurnMs, now + lane.averageMs) + perTurnMs;
      return Math.max(SHORTEST_WAIT_MS, Math.round(lane.nextTurnMs - now));
    },
    /** Gives the room back. @param answered whether there was an answer at all */
    leave(webhookId: number, durationMs: number, answered: boolean): void {
      const lane = laneOf(webhookId);
      lane.taken -= 1;
      lane.averageMs += WEIGHT * (durationMs - lane.averageMs);
      lane.limit = answered ? Math.min(lane.limit + 1, MOST) : Math.max(Math.floor(lane.limit / 2), LEAST);
      const isForgettable = answered || lane.limit === FIRST;
      if (lane.taken === 0 && isForgettable && lane.nextTurnMs <= nowMs()) lanes.delete(webhookId);
    },
    size: (): number => lanes.size,
  };
}
