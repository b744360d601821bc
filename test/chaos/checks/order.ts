import type { RecordedFact } from '../../../domain/facts.ts';
import type { History, PublishTry } from '../history.ts';
import { type Violation, violation } from './violation.ts';

/**
 * Ids increase: whoever publishes after an answer gets a larger id than that answer's, whatever died and however clocks moved in between. Only first tries
 * count: a repetition is answered with the id of the first.
 */
export function checkIds({ publishes }: History): Violation[] {
  const fresh = publishes.filter(({ id, nth }) => id !== undefined && nth === 1) as (PublishTry & { id: number })[];
  const bySent = fresh.toSorted((a, b) => a.sentMs - b.sentMs);
  const byEnded = fresh.toSorted((a, b) => a.endedMs - b.endedMs);
  const found: Violation[] = [];
  let ended = 0;
  let largest: PublishTry & { id: number } = { ...bySent[0], id: 0 } as PublishTry & { id: number };
  for (const one of bySent) {
    for (let next = byEnded[ended]; next && next.endedMs < one.sentMs; next = byEnded[++ended]) {
      if (next.id > largest.id) largest = next;
    }
    if (one.id <= largest.id) found.push(violation('id does not increase', one, 'after', largest));
  }
  return found;
}

/** The log itself: revisions without gaps, every fact once, places that increase. */
export function checkLog(facts: readonly RecordedFact[]): Violation[] {
  const next = new Map<string, number>();
  const ids = new Set<string>();
  const found: Violation[] = [];
  let position = -1;
  for (const { id, stream, revision, position: at, type } of facts) {
    const expected = next.get(stream) ?? 0;
    if (revision !== expected) found.push(violation('gap in a stream', { stream, revision, expected }));
    if (ids.has(`${stream} ${id}`)) found.push(violation('one fact twice', { stream, revision, type, id }));
    if (at <= position) found.push(violation('places out of order', { stream, revision, at, position }));
    next.set(stream, revision + 1);
    ids.add(`${stream} ${id}`);
    position = at;
  }
  return found;
}
