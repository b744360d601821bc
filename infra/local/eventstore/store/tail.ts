import type { RecordedEvent } from './event.ts';
import { PAGE_EVENTS } from './log.ts';

const TAIL_EVENTS = 1024;
const TAIL_BYTES = 2 * 1024 * 1024;

/** The newest events of `$all`, so that live subscriptions share them instead of reading each for itself. */
export class Tail {
  #events: RecordedEvent[] = [];
  #bytes = 0;

  push(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += sizeOf(event);
    }
    let dropped = 0;
    while (this.#events.length - dropped > TAIL_EVENTS || this.#bytes > TAIL_BYTES) {
      this.#bytes -= sizeOf(this.#events[dropped++] as RecordedEvent);
    }
    if (dropped > 0) this.#events = this.#events.slice(dropped);
  }

  /** The events after the position, a page at most; undefined where some of them are not here any more. */
  after(position: number): RecordedEvent[] | undefined {
    const first = this.#events[0];
    if (first === undefined || position + 1 < first.position) return undefined;
    const start = position + 1 - first.position;
    return this.#events.slice(start, start + PAGE_EVENTS);
  }
}

function sizeOf(event: RecordedEvent): number {
  return event.data.length + event.metadata.length;
}
