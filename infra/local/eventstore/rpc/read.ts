import { setImmediate as nextTurn } from 'node:timers/promises';
import { AllBackward, AllForward, type Cursor, lastPlace, StreamBackward, StreamForward } from '../store/cursors.ts';
import type { Store } from '../store/store.ts';
import { isMissing, StreamDeleted } from '../store/visibility.ts';
import type { Place } from '../wire/read-request.ts';
import { streamNotFoundMessage } from '../wire/read-response.ts';
import { shuttingDown, toRpcError } from './errors.ts';
import { EventMessages } from './event-messages.ts';
import { isOpen, writePage } from './paged-call.ts';
import { asReadRequest, type ReadCall, type ReadRequest } from './read-request.ts';
import type { RunningCalls } from './running-calls.ts';
import { subscribe } from './subscribe.ts';

export function read(store: Store, calls: RunningCalls) {
  return (call: ReadCall): void => {
    calls.add(call, () => call.emit('error', shuttingDown()));
    answer(store, call).then(
      () => call.end(),
      (error: unknown) => {
        store.failed(error);
        call.emit('error', toRpcError(error));
      },
    );
  };
}

async function answer(store: Store, call: ReadCall): Promise<void> {
  const request = asReadRequest(call.request);
  const head = request.stream === undefined ? undefined : store.headOf(request.stream);
  if (head?.tombstoned) throw new StreamDeleted(head.text);
  if (request.subscribe) return subscribe(store, call, request);
  if (head && isMissing(head)) return writePage(call, [streamNotFoundMessage(head.text)]);
  return readPages(store, call, request);
}

/** Reads what there is now: events that come while a long read runs are not part of it. */
async function readPages(store: Store, call: ReadCall, request: ReadRequest): Promise<void> {
  const messages = new EventMessages(store, request);
  const end = lastPlace(store, request.stream);
  const cursor = cursorOf(store, request, end);
  let left = request.maxCount;
  while (isOpen(call) && left > 0) {
    const { events, done } = cursor.next(end);
    const page = messages.of(events, left);
    left -= page.length;
    await writePage(call, page);
    if (done) return;
    // Appends that have come meanwhile go first.
    await nextTurn();
  }
}

function cursorOf(store: Store, { stream, from, backwards }: ReadRequest, end: number): Cursor {
  const place = placeNumber(from, end);
  if (stream === undefined) return backwards ? new AllBackward(store, place) : new AllForward(store, place - 1);
  return backwards ? new StreamBackward(store, stream, Math.min(place, end)) : new StreamForward(store, stream, place);
}

/** The end is the place after the last event. */
function placeNumber(from: Place, end: number): number {
  if (from === 'start') return 0;
  return from === 'end' ? end + 1 : from;
}
