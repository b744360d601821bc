import { StoreDamaged } from './damage.ts';
import type { RecordedEvent } from './event.ts';
import type { Heads } from './heads.ts';
import type { Log } from './log.ts';

/** How many of the newest events are looked at, there and by both indexes: where a write can be torn. */
const TAIL_EVENTS = 500;
const TAIL_EVENTS_AFTER_KILL = 10_000;
/** How many places, evenly over the whole log, are looked at. */
const SAMPLES = 128;

/**
 * What can be seen of a large log in a moment: its end and samples of the rest. What damage lies elsewhere is found when it is read, by
 * checksums and by gaps.
 * @throws StoreDamaged, or SQLite's own error
 */
export function checkAtStart(log: Log, heads: Heads, wasKilled: boolean): void {
  const tail = wasKilled ? TAIL_EVENTS_AFTER_KILL : TAIL_EVENTS;
  for (let before = log.last + 1; before > 1 && log.last - before < tail; ) {
    const events = log.allBackward(before);
    for (const event of events) checkIndexes(log, heads, event);
    before -= events.length;
  }
  const step = Math.max(1, Math.floor(log.last / SAMPLES));
  for (let position = 1; position <= log.last; position += step) {
    const [event] = log.allForward(position - 1, position);
    checkIndexes(log, heads, event as RecordedEvent);
  }
}

function checkIndexes(log: Log, heads: Heads, { position, stream, revision, id }: RecordedEvent): void {
  const isFound = log.at(stream, revision)?.position === position && log.findById(stream, id) !== undefined;
  const isKnown = heads.of(stream.text).last >= revision;
  if (!isFound || !isKnown) throw new StoreDamaged(`the event at position ${position} is missing in an index`);
}
