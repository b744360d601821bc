import type { ProposedEvent } from './event.ts';
import type { Head, Heads } from './heads.ts';
import type { Log } from './log.ts';

export type ExpectedRevision = number | 'any' | 'no_stream' | 'stream_exists';

/** A revision and position of 0 or more, or of -1 and 0 where there is no event. */
export interface Written {
  readonly kind: 'written';
  readonly revision: number;
  readonly position: number;
}

export type Refused =
  | { readonly kind: 'wrong-revision'; readonly current: number }
  | { readonly kind: 'stream-deleted' };

export type Outcome = Written | Refused;

const STREAM_DELETED: Refused = { kind: 'stream-deleted' };

/** Whether an append may go ahead: undefined says yes, `Written` that it already happened. */
export function checkAppend(
  log: Log,
  heads: Heads,
  head: Head,
  expected: ExpectedRevision,
  events: readonly ProposedEvent[],
): Written | Refused | undefined {
  if (head.tombstoned) return STREAM_DELETED;
  const softDeleted = head.retention.deleted;
  const refused: Refused = { kind: 'wrong-revision', current: head.last };
  if (expected === 'stream_exists') {
    if (softDeleted) return STREAM_DELETED;
    if (head.last < 0 && heads.metadataOf(head.text) === undefined) return refused;
  }
  if (expected === 'any' || expected === 'stream_exists') return findAnywhere(log, head, events, refused);
  const revision = expected === 'no_stream' ? -1 : expected;
  if (revision === head.last) return undefined;
  if (revision > head.last) return refused;
  const repeated = findAfter(log, head, revision, events);
  if (repeated) return repeated;
  return softDeleted && expected === 'no_stream' ? undefined : refused;
}

/** Whether a delete or tombstone may go ahead. A stream of which only metadata was written counts as existing. */
export function checkDelete(heads: Heads, head: Head, expected: ExpectedRevision): Refused | undefined {
  if (head.tombstoned) return STREAM_DELETED;
  const absent = head.last < 0 || (expected === 'no_stream' && head.retention.deleted);
  const fits =
    expected === 'no_stream'
      ? absent
      : expected === 'any' || expected === 'stream_exists'
        ? !absent || heads.metadataOf(head.text) !== undefined
        : expected === head.last;
  return fits ? undefined : { kind: 'wrong-revision', current: head.last };
}

/** A repeated append is known by its event ids: all there, wherever in the stream; or the first new, which is no repetition. */
function findAnywhere(
  log: Log,
  head: Head,
  events: readonly ProposedEvent[],
  refused: Refused,
): Written | Refused | undefined {
  if (head.name === undefined) return undefined;
  let last: Written | undefined;
  for (const event of events) {
    const found = log.findById(head.name, event.id);
    if (!found) return last && refused;
    last = { kind: 'written', ...found };
  }
  return last;
}

function findAfter(log: Log, head: Head, revision: number, events: readonly ProposedEvent[]): Written | undefined {
  let last: Written | undefined;
  for (const [index, event] of events.entries()) {
    const recorded = head.name && log.at(head.name, revision + 1 + index);
    if (!recorded || Buffer.compare(recorded.id, event.id) !== 0) return undefined;
    last = { kind: 'written', revision: recorded.revision, position: recorded.position };
  }
  return last;
}
