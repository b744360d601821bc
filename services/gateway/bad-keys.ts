import { Problem } from './problems.ts';

/** Bad keys that an address may send in a time, in ms, before it is told to wait. */
const ALLOWED = 20;
const WINDOW_MS = 60_000;
/** Addresses that are counted at a time: of more than that, the one that began first is forgotten. */
const COUNTED = 10_000;

interface Count {
  readonly untilMs: number;
  bad: number;
}

export type BadKeys = ReturnType<typeof createBadKeys>;

/**
 * Slows those down who guess keys. Only what is refused anyway is counted and answered: a good key is let in from wherever it comes, and costs nothing here.
 * @param nowMs a monotonic clock
 */
export function createBadKeys(nowMs: () => number) {
  const counts = new Map<string, Count>();

  function countOf(address: string, atMs: number): Count {
    const known = counts.get(address);
    if (known && known.untilMs > atMs) return known;
    const count = { untilMs: atMs + WINDOW_MS, bad: 0 };
    // Behind the others, which are over sooner.
    counts.delete(address);
    counts.set(address, count);
    forgetOldest();
    return count;
  }

  function forgetOldest() {
    if (counts.size <= COUNTED) return;
    const [oldest] = counts.keys();
    if (oldest !== undefined) counts.delete(oldest);
  }

  return {
    /** @throws Problem too-many-bad-keys where the address has sent too many before this one */
    count(address: string): void {
      const atMs = nowMs();
      const count = countOf(address, atMs);
      count.bad += 1;
      if (count.bad <= ALLOWED) return;
      const headers = { 'Retry-After': String(Math.ceil((count.untilMs - atMs) / 1_000)) };
      const detail =
        'Too many keys from this address were refused in the last minute. A key that is right is always taken.';
      throw new Problem('too-many-bad-keys', detail, { headers });
    },
    /** How many addresses are remembered. */
    size: (): number => counts.size,
  };
}
