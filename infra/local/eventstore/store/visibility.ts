import type { RecordedEvent } from './event.ts';
import type { Head } from './heads.ts';

export class StreamDeleted extends Error {
  readonly stream: string;

  constructor(stream: string) {
    super(`Event stream '${stream}' is deleted.`);
    this.name = 'StreamDeleted';
    this.stream = stream;
  }
}

/** Not the same as empty: a stream of which retention has hidden everything exists. */
export function isMissing(head: Head): boolean {
  return head.last < 0 || head.retention.deleted;
}

/** The first revision that metadata leaves readable; later ones may still be too old. */
export function firstVisible(head: Head): number {
  const { deleted, maxCount, truncateBefore } = head.retention;
  return deleted ? Infinity : Math.max(0, head.last - maxCount + 1, truncateBefore);
}

/** Whether a read of its stream shows an event that metadata does not hide by its revision. */
export function isReadable(head: Head, event: RecordedEvent): boolean {
  return !isBlank(event) && Date.now() - event.createdMs <= head.retention.maxAgeMs;
}

/** Whether all that is left of an event is its place: metadata had hidden it. */
export function isBlank({ type }: Pick<RecordedEvent, 'type'>): boolean {
  return type === BLANK_TYPE;
}

/** No event that is appended can have it. */
export const BLANK_TYPE = '';

export function withoutBlank(events: readonly RecordedEvent[]): readonly RecordedEvent[] {
  return events.some(isBlank) ? events.filter((event) => !isBlank(event)) : events;
}
