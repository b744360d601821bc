import type { RecordedFact } from '../../../domain/facts.ts';
import type { History, PublishTry } from '../history.ts';
import { type Violation, violation } from './violation.ts';

type Published = Extract<RecordedFact, { type: 'EventPublished' }>;

/**
 * What was accepted is in the log, once. A request that was answered with anything but 201, or not at all, may be in the log or not: whoever sent
 * it cannot know. But it is there once at the most: nothing in our house repeats a publication on its own.
 */
export function checkAccepted({ publishes, changes }: History, facts: readonly RecordedFact[]): Violation[] {
  const published = facts.filter((fact): fact is Published => fact.type === 'EventPublished');
  const byRef = Map.groupBy(published, ({ data }) => data.ext_ref_code ?? '');
  const tries = Map.groupBy(publishes, ({ ref }) => ref);
  const found: Violation[] = [];
  for (const [ref, triesOfOne] of tries) found.push(...checkOne(ref, triesOfOne, byRef.get(ref) ?? []));
  for (const [ref, [first]] of byRef) if (!tries.has(ref)) found.push(violation('published by nobody', first?.data));
  for (const [id, same] of Map.groupBy(published, ({ data }) => data.id)) {
    if (same.length > 1) found.push(violation('one event id for two publications', id));
  }
  return [...found, ...checkChanges(changes, facts)];
}

function checkOne(ref: string, tries: readonly PublishTry[], facts: readonly Published[]): Violation[] {
  const accepted = tries.filter(({ status }) => status === 201);
  const found: Violation[] = [];
  if (accepted.length > 0 && facts.length === 0) found.push(violation('accepted event lost', accepted));
  if (facts.length > 1) found.push(violation('published twice', ref, tries, facts.map(placeOf)));
  const ids = new Set([...accepted.map(({ id }) => id), ...facts.map(({ data }) => data.id)]);
  if (accepted.length > 0 && ids.size > 1) found.push(violation('several ids for one event', ref, [...ids], tries));
  return found;
}

const placeOf = ({ stream, revision, id }: RecordedFact) => ({ stream, revision, id });

function checkChanges(changes: History['changes'], facts: readonly RecordedFact[]): Violation[] {
  const done = new Set(facts.map(({ type, stream }) => `${type} ${stream.slice(stream.indexOf('-') + 1)}`));
  const answered = changes.filter(({ status }) => status === 200 || status === 201);
  return answered
    .filter(({ what, id }) => !done.has(`${what} ${id}`))
    .map((change) => violation('accepted change lost', change));
}
