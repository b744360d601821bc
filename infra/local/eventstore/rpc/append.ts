import { type handleClientStreamingCall, status } from '@grpc/grpc-js';
import type { ProposedEvent } from '../store/event.ts';
import type { Store } from '../store/store.ts';
import type { AppendChunk, AppendOptions } from '../wire/append-request.ts';
import { appended, appendedWrongRevision } from '../wire/append-response.ts';
import { appendTooLarge, badStreamName, invalidEvent, notReady, RpcError, refusal, toRpcError } from './errors.ts';
import { heldBytes, MAX_EVENTS, MAX_HELD_BYTES } from './holding.ts';
import type { RunningCalls } from './running-calls.ts';

/** The older append, one event a message; clients take it for appends with credentials of their own. */
export function append(
  store: Store,
  calls: RunningCalls,
  maxAppendSize: number,
): handleClientStreamingCall<AppendChunk, Buffer> {
  return (call, callback) => {
    let options: AppendOptions | undefined;
    let bytes = 0;
    let held = 0;
    let answered = false;
    const events: ProposedEvent[] = [];
    const answer = (error: RpcError | null, message?: Buffer) => {
      if (answered) return;
      answered = true;
      callback(error, message);
    };
    calls.add(call, () => answer(notReady()));
    call.on('data', (chunk: AppendChunk) => {
      // Read on after an error: the client may still be writing, and learns of it only when that is through.
      if (answered) return;
      options ??= chunk.options;
      for (const event of chunk.events) {
        bytes += event.data.length;
        held += heldBytes(event);
        events.push(event);
      }
      if (chunk.invalid) answer(invalidEvent(chunk.invalid));
      else if (bytes > maxAppendSize || held > MAX_HELD_BYTES || events.length > MAX_EVENTS) {
        answer(appendTooLarge(maxAppendSize));
      }
      if (answered) events.length = 0;
    });
    call.on('end', () => {
      if (answered || call.cancelled) return;
      if (!options) return answer(new RpcError(status.INVALID_ARGUMENT, 'The first message must hold the options.'));
      const { stream, expected } = options;
      const bad = badStreamName(stream);
      if (bad) return answer(new RpcError(status.INVALID_ARGUMENT, bad));
      store.write({
        // A call that was cancelled or ran out of time while it waited must not be written any more.
        run: (writes) => (call.cancelled || answered ? undefined : writes.append(stream, expected, events)),
        done: (outcome) => {
          if (outcome?.kind === 'written') answer(null, appended(outcome));
          else if (outcome?.kind === 'wrong-revision') answer(null, appendedWrongRevision(outcome.current, expected));
          else if (outcome) answer(refusal(stream, expected, outcome));
        },
        fail: (error) => answer(toRpcError(error)),
      });
    });
  };
}
