import { isDeepStrictEqual } from 'node:util';
import type { RecordedFact } from '../../../domain/facts.ts';
import type { History } from '../history.ts';
import { type Violation, violation } from './violation.ts';

/** A backup is the log up to some place: what it holds, fact for fact, is what the log begins with. */
export function checkBackup(held: readonly RecordedFact[], log: readonly RecordedFact[]): Violation[] {
  const at = held.findIndex((fact, index) => !isDeepStrictEqual(fact, log[index]));
  return at < 0 ? [] : [violation('backup differs from the log', held[at], 'instead of', log[at])];
}

/**
 * What a stack that was restored from a backup has to answer for. What was acknowledged before the backup began is certain; of what was acknowledged later, nobody
 * can know. The POSTs up to the newest fact in it are its past. It has forgotten everything behind that fact, as if delivery had been killed there: what it did not
 * know of is legitimately POSTed again, and nothing else.
 * @param lastMs when the newest fact in the backup was recorded
 */
export function pastOf(
  { publishes, changes, hits, troubles }: History,
  { beganMs, lastMs }: { beganMs: number; lastMs: number },
): History {
  const forgotten = lastMs + 1;
  const end = { part: 'delivery', what: 'the backup', ended: 'killed', fromMs: forgotten, toMs: forgotten } as const;
  const known = <T extends { endedMs: number; status: number }>(one: T): T =>
    one.endedMs < beganMs ? one : { ...one, status: 0 };
  return {
    publishes: publishes.map(known).map((one) => (one.status === 0 ? { ...one, id: undefined } : one)),
    changes: changes.map(known),
    hits: hits.filter(({ atMs }) => atMs <= lastMs),
    troubles: [...troubles.filter(({ fromMs }) => fromMs <= lastMs), end],
  };
}
