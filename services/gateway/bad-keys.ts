import { Problem } from './problems.ts';
import { createWindows } from './windows.ts';

/** Bad keys that an address may send in a time, in ms, before it is told to wait. */
const ALLOWED = 20;
const WINDOW_MS = 60_000;
/** Addresses that are counted at a time. */
const COUNTED = 10_000;

export type BadKeys = ReturnType<typeof createBadKeys>;

/**
 * Slows those down who guess keys. Only what is refused anyway is counted and answered: a good key is let in from wherever it comes, and costs nothing here.
 * @param nowMs a monotonic clock
 */
export function createBadKeys(nowMs: () => number) {
  const addresses = createWindows<string>(WINDOW_MS, COUNTED);

  return {
    /** @throws Problem too-many-bad-keys where the address has sent too many before this one */
    count(address: string): void {
      const atMs = nowMs();
      const window = addresses.at(address, atMs);
      window.count += 1;
      if (window.count <= ALLOWED) return;
      const headers = { 'Retry-After': String(Math.ceil((window.untilMs - atMs) / 1_000)) };
      const detail =
        'Too many keys from this address were refused in the last minute. A key that is right is always taken.';
      throw new Problem('too-many-bad-keys', detail, { headers });
    },
    /** How many addresses are remembered. */
    size: addresses.size,
  };
}
