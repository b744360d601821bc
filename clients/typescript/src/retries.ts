import { ApiError } from './errors.ts';

/** The longest wait that is not asked for, in ms. */
const MAX_MS = 8_000;

/** Answers that may be others in a moment. */
const PASSING = [408, 425, 429, 500, 502, 503, 504];

/** Whether another try may fare better; without any answer it may always. */
export function isWorthRepeating(error: Error): boolean {
  return !(error instanceof ApiError) || PASSING.includes(error.status);
}

/** Between half and all of a time that doubles: many that failed together do not come again together. */
export function backoffMs(repeated: number, firstMs: number): number {
  return Math.min(MAX_MS, firstMs * 2 ** repeated) * (0.5 + Math.random() / 2);
}

/** @throws the signal's reason */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}
