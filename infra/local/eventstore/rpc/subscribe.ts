import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Alarm } from '../store/alarms.ts';
import { AllForward, type Cursor, lastPlace, StreamForward } from '../store/cursors.ts';
import type { RecordedEvent } from '../store/event.ts';
import type { Store } from '../store/store.ts';
import { caughtUpMessage, checkpointMessage, confirmationMessage } from '../wire/read-response.ts';
import { EventMessages } from './event-messages.ts';
import type { Filter } from './filter.ts';
import { isOpen, writePage } from './paged-call.ts';
import type { ReadCall, ReadRequest } from './read-request.ts';

/**
 * History up to what was there at the start, `caught_up`, then what comes, until the client leaves. It holds a place in the
 * log and at most one page, however slow the client is.
 * @throws StreamDeleted
 */
export async function subscribe(store: Store, call: ReadCall, request: ReadRequest): Promise<void> {
  const alarm = new Alarm();
  const removeAlarm = store.alarms.add(request.stream, alarm);
  call.once('close', alarm.ring);
  try {
    const historyEnd = lastPlace(store, request.stream);
    const cursor = cursorOf(store, request, historyEnd);
    const messages = new SubscriptionMessages(store, request);
    let live = false;
    await writePage(call, [confirmationMessage(randomUUID())]);
    while (isOpen(call)) {
      const { events, done } = cursor.next(live ? undefined : historyEnd);
      const page = messages.of(events);
      if (done && !live) page.push(caughtUpMessage());
      await writePage(call, page);
      if (done && live) await alarm.whenRung();
      else await nextTurn();
      live ||= done;
    }
  } finally {
    removeAlarm();
  }
}

/** Unlike a read, a subscription begins after the given place. */
function cursorOf(store: Store, { stream, from }: ReadRequest, historyEnd: number): Cursor {
  const after = from === 'end' ? historyEnd : from === 'start' ? -1 : from;
  return stream === undefined ? new AllForward(store, Math.max(after, 0)) : new StreamForward(store, stream, after + 1);
}

/** The messages of a page, with a checkpoint after each so many events that the filter has looked at. */
class SubscriptionMessages {
  readonly #events: EventMessages;
  readonly #filter: Filter | undefined;
  #considered = 0;

  constructor(store: Store, request: ReadRequest) {
    this.#events = new EventMessages(store, request);
    this.#filter = request.filter;
  }

  of(events: readonly RecordedEvent[]): Buffer[] {
    if (!this.#filter) return this.#events.of(events, Infinity);
    const page: Buffer[] = [];
    for (const event of events) {
      const message = this.#events.one(event);
      if (message) page.push(message);
      this.#considered += 1;
      if (this.#considered % this.#filter.checkpointInterval === 0) page.push(checkpointMessage(event.position));
    }
    return page;
  }
}
