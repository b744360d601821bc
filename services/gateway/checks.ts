import { setTimeout as delay } from 'node:timers/promises';
import type { Check } from './context.ts';

/** Why what is checked cannot be used; undefined where it can. @param ms how long the check may take */
export async function failureOf(check: Check, ms: number): Promise<string | undefined> {
  const abort = new AbortController();
  const late = delay(ms, `no answer in ${ms} ms`, { signal: abort.signal }).catch(() => undefined);
  const failure = check().then(
    () => undefined,
    (error: Error) => error.message,
  );
  return Promise.race([failure, late]).finally(() => abort.abort());
}
