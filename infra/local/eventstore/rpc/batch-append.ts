import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { ProposedEvent } from '../store/event.ts';
import type { Store } from '../store/store.ts';
import type { AppendChunk, AppendOptions } from '../wire/append-request.ts';
import { type AppendFailure, batchAppended, batchFailed } from '../wire/append-response.ts';
import { type Cluster, notLeading } from './cluster.ts';
import { badStreamName, shuttingDown, tooMuchHeld } from './errors.ts';
import { heldBytes, MAX_EVENTS, MAX_HELD_BYTES } from './holding.ts';
import { isOpen } from './paged-call.ts';
import type { RunningCalls } from './running-calls.ts';

type BatchAppendCall = ServerDuplexStream<AppendChunk, Buffer[]>;

/** An append of which not all chunks have come. */
interface Pending {
  readonly correlationId: Buffer;
  readonly options: AppendOptions;
  readonly events: ProposedEvent[];
  /** Of data, which the limit of an append counts, and of all that is held. */
  bytes: number;
  held: number;
  timer: NodeJS.Timeout | undefined;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** What an append takes that has nothing in it yet, roughly. */
const PENDING_BYTES = 512;

export function batchAppend(store: Store, calls: RunningCalls, maxAppendSize: number, cluster: Cluster | undefined) {
  return (call: BatchAppendCall): void => {
    const session = new BatchAppendSession(call, store, maxAppendSize);
    calls.add(call, () => call.emit('error', shuttingDown()));
    call.on('data', (chunk: AppendChunk) => {
      // The call lasts for as long as the connection: we may have ceased to lead since it began.
      const refused = notLeading(cluster, call);
      if (refused) call.emit('error', refused);
      else session.receive(chunk);
    });
    call.on('drain', () => call.resume());
    call.on('end', () => session.finish());
    call.on('close', () => session.dispose());
  };
}

/** One stream of appends. Every correlation id gets exactly one answer: a second one crashes the client. */
class BatchAppendSession {
  readonly #call: BatchAppendCall;
  readonly #store: Store;
  readonly #maxAppendSize: number;
  readonly #pending = new Map<string, Pending>();
  /** Of all appends that are not complete. */
  #held = 0;
  #writing = 0;
  #finished = false;
  #disposed = false;
  #answers: Buffer[] = [];

  constructor(call: BatchAppendCall, store: Store, maxAppendSize: number) {
    this.#call = call;
    this.#store = store;
    this.#maxAppendSize = maxAppendSize;
  }

  receive(chunk: AppendChunk): void {
    if (chunk.correlationId === undefined || this.#disposed) return;
    const key = chunk.correlationId.toString('latin1');
    const pending = this.#pending.get(key) ?? this.#begin(key, chunk.correlationId, chunk.options);
    if (!pending) return;
    for (const event of chunk.events) {
      pending.bytes += event.data.length;
      this.#hold(pending, heldBytes(event));
      pending.events.push(event);
    }
    if (this.#held > MAX_HELD_BYTES) {
      this.dispose();
      this.#call.emit('error', tooMuchHeld(MAX_HELD_BYTES));
      return;
    }
    const failure = this.#failureOf(pending, chunk);
    if (failure) this.#refuse(key, pending, failure);
    else if (chunk.isFinal) this.#write(key, pending);
    else pending.timer ??= this.#expireLater(key, pending);
  }

  /** The client will send no more: what is complete is still answered. */
  finish(): void {
    this.#finished = true;
    this.#endWhenAnswered();
  }

  dispose(): void {
    this.#disposed = true;
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
    this.#pending.clear();
    this.#held = 0;
  }

  #hold(pending: Pending, bytes: number): void {
    pending.held += bytes;
    this.#held += bytes;
  }

  /** Chunks of an id that was never opened, or already answered, belong to nothing. */
  #begin(key: string, correlationId: Buffer, options: AppendOptions | undefined): Pending | undefined {
    if (options === undefined) return undefined;
    const pending = { correlationId, options, events: [], bytes: 0, held: 0, timer: undefined };
    this.#hold(pending, PENDING_BYTES + correlationId.length + options.stream.length);
    this.#pending.set(key, pending);
    return pending;
  }

  #failureOf(pending: Pending, chunk: AppendChunk): AppendFailure | undefined {
    const badName = badStreamName(pending.options.stream);
    if (badName) return { kind: 'bad-request', message: badName };
    if (pending.bytes > this.#maxAppendSize || pending.events.length > MAX_EVENTS) {
      return { kind: 'too-large', maxAppendSize: this.#maxAppendSize };
    }
    if (chunk.invalid === 'id') return { kind: 'bad-request', message: 'The id of an event is not a UUID.' };
    if (chunk.invalid === 'type') return { kind: 'bad-request', message: 'An event has no type.' };
    return undefined;
  }

  #expireLater(key: string, pending: Pending): NodeJS.Timeout {
    const leftMs = pending.options.deadlineMs - Date.now();
    const delayMs = Math.max(0, Math.min(leftMs, LONGEST_TIMER_MS));
    return setTimeout(() => this.#refuse(key, pending, { kind: 'timeout' }), delayMs);
  }

  #refuse(key: string, pending: Pending, failure: AppendFailure): void {
    this.#close(key, pending);
    this.#answer(batchFailed(pending.correlationId, pending.options.stream, failure));
  }

  #write(key: string, pending: Pending): void {
    this.#close(key, pending);
    this.#writing += 1;
    const { correlationId, options, events } = pending;
    const { stream, expected, deadlineMs } = options;
    const settle = (answer: Buffer) => {
      this.#writing -= 1;
      this.#answer(answer);
      this.#endWhenAnswered();
    };
    this.#store.write({
      run: (writes) =>
        deadlineMs <= Date.now() ? ({ kind: 'timeout' } as const) : writes.append(stream, expected, events),
      done: (outcome) => {
        if (outcome.kind === 'written') settle(batchAppended(correlationId, stream, outcome));
        else if (outcome.kind === 'wrong-revision') {
          settle(batchFailed(correlationId, stream, { ...outcome, expected }));
        } else settle(batchFailed(correlationId, stream, outcome));
      },
      fail: () => settle(batchFailed(correlationId, stream, { kind: 'unknown' })),
    });
  }

  #close(key: string, pending: Pending): void {
    clearTimeout(pending.timer);
    this.#held -= pending.held;
    this.#pending.delete(key);
  }

  /** Answers of one commit leave together. */
  #answer(answer: Buffer): void {
    if (this.#answers.push(answer) === 1) queueMicrotask(() => this.#send());
  }

  #send(): void {
    const page = this.#answers;
    this.#answers = [];
    if (!isOpen(this.#call)) return;
    // A client that does not take its answers has to wait with its appends.
    if (!this.#call.write(page)) this.#call.pause();
  }

  #endWhenAnswered(): void {
    if (this.#finished && this.#writing === 0) queueMicrotask(() => this.#call.end());
  }
}
