import type { RecordedEvent } from './event.ts';
import type { Store } from './store.ts';
import { firstVisible, isReadable, StreamDeleted, withoutBlank } from './visibility.ts';

/** A place in `$all` or in a stream, from which events are taken page by page. It holds no events. */
export interface Cursor {
  /**
   * The next page. `done` says that there is nothing after it for now: no more events at all backwards, none up to the
   * given place (a position, or a revision) forwards. A page can be empty without being the last.
   * @throws StreamDeleted
   */
  next(upTo?: number): { readonly events: readonly RecordedEvent[]; readonly done: boolean };
}

/** Position or revision of the last event. */
export function lastPlace(store: Store, stream: string | undefined): number {
  return stream === undefined ? store.log.durable : store.headOf(stream).last;
}

export class AllForward implements Cursor {
  readonly #store: Store;
  #after: number;

  constructor(store: Store, after: number) {
    this.#store = store;
    this.#after = after;
  }

  next(upTo = Infinity) {
    const { log, tail } = this.#store;
    const end = Math.min(upTo, log.durable);
    if (this.#after >= end) return { events: [], done: true };
    const isShared = upTo >= log.durable && this.#after >= log.blankTo;
    const shared = isShared ? tail.after(this.#after) : undefined;
    const events = shared ?? log.allForward(this.#after, end);
    this.#after = events.at(-1)?.position ?? end;
    return { events: withoutBlank(events), done: this.#after >= end };
  }
}

export class AllBackward implements Cursor {
  readonly #store: Store;
  #before: number;

  constructor(store: Store, before: number) {
    this.#store = store;
    this.#before = Math.min(before, store.log.durable + 1);
  }

  next() {
    const events = this.#store.log.allBackward(this.#before);
    this.#before = events.at(-1)?.position ?? 0;
    return { events: withoutBlank(events), done: this.#before <= 1 };
  }
}

export class StreamForward implements Cursor {
  readonly #store: Store;
  readonly #stream: string;
  #from: number;

  constructor(store: Store, stream: string, from: number) {
    this.#store = store;
    this.#stream = stream;
    this.#from = from;
  }

  next(upTo = Infinity) {
    const head = this.#store.headOf(this.#stream);
    if (head.tombstoned) throw new StreamDeleted(this.#stream);
    const end = Math.min(upTo, head.last);
    const from = Math.max(this.#from, firstVisible(head));
    if (head.name === undefined || from > end) return { events: [], done: true };
    const events = this.#store.log.streamForward(head.name, from, end);
    this.#from = (events.at(-1)?.revision ?? end) + 1;
    return { events: events.filter((event) => isReadable(head, event)), done: this.#from > end };
  }
}

export class StreamBackward implements Cursor {
  readonly #store: Store;
  readonly #stream: string;
  #from: number;

  constructor(store: Store, stream: string, from: number) {
    this.#store = store;
    this.#stream = stream;
    this.#from = from;
  }

  next() {
    const head = this.#store.headOf(this.#stream);
    if (head.tombstoned) throw new StreamDeleted(this.#stream);
    const downTo = firstVisible(head);
    if (head.name === undefined || this.#from < downTo) return { events: [], done: true };
    const events = this.#store.log.streamBackward(head.name, this.#from, downTo);
    this.#from = (events.at(-1)?.revision ?? 0) - 1;
    return { events: events.filter((event) => isReadable(head, event)), done: this.#from < downTo };
  }
}
