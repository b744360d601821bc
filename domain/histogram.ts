/** Slots an octave: each reaches to 2^(1/4) of its beginning, so that its middle is within 9.1 % of all that is in it. */
const SLOTS_PER_OCTAVE = 4;
/** The last slot, which holds all from 2^19.75 ms (14.7 minutes) on as well. */
const LAST = 80;

/** The slot of a duration. The first, 0, is that of less than a millisecond. */
export function slotOf(durationMs: number): number {
  return durationMs < 1 ? 0 : Math.min(LAST, 1 + Math.floor(SLOTS_PER_OCTAVE * Math.log2(durationMs)));
}

/** What stands for all durations of a slot, in ms: the middle of it, to three digits. */
export function msOf(slot: number): number {
  return slot === 0 ? 0 : Number((2 ** ((slot - 0.5) / SLOTS_PER_OCTAVE)).toPrecision(3));
}

/** The duration that so large a share of all lie at or below, in ms; undefined where there are none. @param counts by slot */
export function percentileMs(counts: ReadonlyMap<number, number>, share: number): number | undefined {
  const slots = [...counts].sort(([a], [b]) => a - b);
  let left = share * slots.reduce((sum, [, count]) => sum + count, 0);
  for (const [slot, count] of slots) {
    left -= count;
    if (left <= 0) return msOf(slot);
  }
  return undefined;
}
