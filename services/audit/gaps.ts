import type { StoredEvent } from '../../infra/event-store/client.ts';
import { isInTree, type Leaf, leafHash } from '../../projections/merkle/leaf.ts';
import type { Remains } from '../remains.ts';

/** Looks, event by event, whether each stream goes on where it should, or says what was erased in between. */
export function createGapCheck(remains: Pick<Remains, 'before'>, find: (text: string) => void) {
  /** By stream, the revision that comes next. */
  const next = new Map<string, number>();

  return (events: readonly StoredEvent[]): void => {
    for (const { stream, revision } of events) {
      if (!isInTree(stream)) continue;
      const expected = next.get(stream) ?? 0;
      if (revision > expected && remains.before(stream, expected) < revision)
        find(
          `${stream}: revisions ${expected} to ${revision - 1} were removed, and what is left does not stand for all of them`,
        );
      next.set(stream, revision + 1);
    }
  };
}

/** Says of which facts, that are to be erased and are still there, something else remains than they are. */
export function findDiffering(
  events: readonly StoredEvent[],
  erased: readonly Leaf[],
  find: (text: string) => void,
): void {
  if (erased.length === 0) return;
  const leaves = new Map(erased.map(({ position, hash }) => [position, hash]));
  for (const event of events) {
    const leaf = leaves.get(event.position);
    if (leaf && !leaf.equals(leafHash(event)))
      find(`${event.stream}@${event.revision}: what is kept for the time when it is erased is not its leaf`);
  }
}
