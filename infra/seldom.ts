/**
 * Does something at most once in so many ms, however often it is asked to: what a fault repeats without end must not fill the log as well.
 * @param nowMs a monotonic clock
 */
export function seldom<Args extends readonly unknown[]>(
  ms: number,
  act: (...args: Args) => void,
  nowMs = () => performance.now(),
): (...args: Args) => void {
  let doneMs = Number.NEGATIVE_INFINITY;
  return (...args) => {
    if (nowMs() - doneMs < ms) return;
    doneMs = nowMs();
    act(...args);
  };
}
