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

export function isYoungEnough(head: Head, event: RecordedEvent): boolean {
  return Date.now() - event.createdMs <= head.retention.maxAgeMs;
}
