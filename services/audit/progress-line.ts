/** How often progress is said, in ms. */
const SAY_MS = 2_000;

/** Says on stderr how far a reading of the log is. */
export function createProgressLine(end: number, nowMs: () => number = () => performance.now()) {
  const beganMs = nowMs();
  let saidMs = beganMs;
  let facts = 0;

  const perS = () => Math.round((facts / (nowMs() - beganMs)) * 1_000);
  return {
    /** @param position that the log has been read to */
    add(count: number, position: number): void {
      facts += count;
      if (nowMs() - saidMs < SAY_MS) return;
      saidMs = nowMs();
      const percent = Math.min(100, Math.floor((100 * Math.max(position, 0)) / Math.max(end, 1)));
      console.error(`${percent} %: ${facts} facts, ${perS()}/s`);
    },
    facts: (): number => facts,
    perS,
  };
}
