import type { RecordedEvent } from '../store/event.ts';
import { isLink, resolveLink } from '../store/links.ts';
import type { Store } from '../store/store.ts';
import { eventMessage } from '../wire/read-response.ts';
import type { Filter } from './filter.ts';

/** Turns events into the messages that a call asked for: filtered, links resolved. */
export class EventMessages {
  readonly #store: Store;
  readonly #resolveLinks: boolean;
  readonly #filter: Filter | undefined;

  constructor(store: Store, options: { resolveLinks: boolean; filter: Filter | undefined }) {
    this.#store = store;
    this.#resolveLinks = options.resolveLinks;
    this.#filter = options.filter;
  }

  of(events: readonly RecordedEvent[], limit: number): Buffer[] {
    const messages: Buffer[] = [];
    for (const event of events) {
      if (messages.length >= limit) break;
      const message = this.one(event);
      if (message) messages.push(message);
    }
    return messages;
  }

  /** Undefined when the filter leaves it out. */
  one(event: RecordedEvent): Buffer | undefined {
    if (this.#filter && !this.#filter.matches(event)) return undefined;
    if (this.#resolveLinks && isLink(event)) return eventMessage(resolveLink(this.#store, event), event);
    event.message ??= eventMessage(event);
    return event.message;
  }
}
