import { setTimeout as delay } from 'node:timers/promises';

/** How long a test waits for anything before it fails, in ms. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 20;

/**
 * Looks until `look` returns something that `isThere` accepts (by default: anything but undefined, null and false).
 * @throws Error with what was last seen, where that takes too long
 */
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
): Promise<Exclude<T, undefined | null | false>>;
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
  isThere?: (seen: T) => boolean,
  patienceMs?: number,
): Promise<T>;
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
  isThere: (seen: T) => boolean = (seen) => seen !== undefined && seen !== null && seen !== false,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (isThere(seen)) return seen;
    if (performance.now() > untilMs) throw new Error(`waited in vain for ${what}; last seen: ${JSON.stringify(seen)}`);
    await delay(LOOK_MS);
  }
}
