/** When a delivery is tried again, and what counts as delivered, in all of a deployment. */
export interface RetryPolicy {
  readonly retryIntervalMs: number;
  readonly retryWindowMs: number;
  /** How long to wait after each attempt, one after the other, in ms: in place of interval and window. */
  readonly retrySchedule?: readonly number[] | undefined;
  readonly successStatus: '200' | '2xx';
}

export function isSuccess({ successStatus }: Pick<RetryPolicy, 'successStatus'>, status: number | null): boolean {
  return status === 200 || (successStatus === '2xx' && status !== null && status > 200 && status < 300);
}

type Times = Omit<RetryPolicy, 'successStatus'>;

/** An attempt that failed. Times are in ms since the epoch. */
export interface Failed {
  readonly windowFromMs: number;
  /** When it began. */
  readonly atMs: number;
  /** Which of the window's attempts it was, from 1. */
  readonly nth: number;
  /** Before when the receiver asks for no other: that is granted up to the end of the window. */
  readonly askedMs?: number | undefined;
}

/** When to try again, in ms since the epoch; undefined where that was the last attempt. */
export function nextAttemptMs(times: Times, failed: Failed): number | undefined {
  const { windowFromMs, askedMs = 0 } = failed;
  const { retryWindowMs, retrySchedule } = times;
  const nextMs = retrySchedule ? scheduledMs(retrySchedule, failed) : hourlyMs(times, failed);
  const endMs = windowFromMs + (retrySchedule?.reduce((sum, waitMs) => sum + waitMs, 0) ?? retryWindowMs);
  return nextMs === undefined ? undefined : Math.max(nextMs, Math.min(askedMs, endMs));
}

/**
 * An interval after the attempt's beginning while the window is open. Half an interval of slack lets small delays add up without costing the last retry:
 * 24 hours of hourly retries are 24 retries.
 */
function hourlyMs({ retryIntervalMs, retryWindowMs }: Times, { windowFromMs, atMs }: Failed): number | undefined {
  const nextMs = atMs + retryIntervalMs;
  return nextMs <= windowFromMs + retryWindowMs + retryIntervalMs / 2 ? nextMs : undefined;
}

/** As many retries as the schedule has waits, however late they are made. */
function scheduledMs(schedule: readonly number[], { atMs, nth }: Failed): number | undefined {
  const waitMs = schedule[nth - 1];
  return waitMs === undefined ? undefined : atMs + waitMs;
}

/** The shortest wait between two attempts, in ms. */
export function shortestWaitMs({ retryIntervalMs, retrySchedule }: Times): number {
  return retrySchedule ? Math.min(...retrySchedule) : retryIntervalMs;
}
