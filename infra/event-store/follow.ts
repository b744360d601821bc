import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordedFact } from '../../domain/facts.ts';
import type { Calls, ReadCall } from './calls.ts';
import { StoreUnavailable } from './errors.ts';
import { allAfter } from './read-request.ts';
import { readReadResponse, type StoredEvent } from './wire/read-response.ts';

/** Facts in log order, and the position up to which the log has been considered. */
export interface LogBatch<T = RecordedFact> {
  readonly facts: readonly T[];
  readonly position: number;
}

export interface FollowOptions {
  readonly after: number;
  /** Of the streams wanted; absent: all. */
  readonly prefixes?: readonly string[] | undefined;
  /** The most facts handed over at a time, in place of LARGEST_BATCH. */
  readonly most?: number;
  readonly signal: AbortSignal;
}

/** The most facts handed over at a time; once so many were there, twice as many are taken next: who is far behind commits them with less work. */
const BATCH = 512;
const LARGEST_BATCH = 4_096;
/** The most bytes of them, if it is more than one. */
const BATCH_BYTES = 8 * 1_024 * 1_024;

/**
 * Follows the log over a subscription to `$all`; see `EventStore.follow`. With prefixes the store passes over all other streams;
 * without, the position is exact to the last event.
 */
export async function* followLog(
  calls: Calls,
  { after, prefixes, most = LARGEST_BATCH, signal }: FollowOptions,
): AsyncGenerator<LogBatch<StoredEvent>> {
  const source = createSource(await begin(calls, after, prefixes));
  signal.addEventListener('abort', source.wake);
  let position = after;
  const least = Math.min(BATCH, most);
  let next = least;
  try {
    while (!signal.aborted) {
      const batch = await gathered(source, next);
      if (batch.position > position) {
        position = batch.position;
        next = batch.left > 0 ? least : Math.min(2 * next, most);
        yield { facts: batch.facts, position };
      } else {
        await source.whenMore(signal);
      }
    }
  } finally {
    signal.removeEventListener('abort', source.wake);
    source.cancel();
  }
}

/** What is there, and what the turns after it bring, until one brings nothing: whoever commits it then does it once for all. */
async function gathered(source: Source, most: number): Promise<Gathered> {
  const batch: Gathered = { facts: [], position: -1, left: most, leftBytes: BATCH_BYTES };
  while (source.take(batch) && batch.left > 0 && batch.leftBytes > 0) await nextTurn();
  return batch;
}

/** Where a reading that has an end begins and ends. */
export interface ReadUpTo extends Omit<FollowOptions, 'prefixes' | 'most'> {
  /** Position of the last event that is wanted, which must be in the log. */
  readonly to: number;
  /** How many facts are handed over at a time, at least, and less than twice as many, until the end: who commits them then does it once for all. */
  readonly atATime: number;
}

/** Reads the log as `followLog` does, up to a position, and ends. Where `signal` aborts, it ends before that. */
export async function* readUpTo(
  calls: Calls,
  { to, atATime, ...from }: ReadUpTo,
): AsyncGenerator<LogBatch<StoredEvent>> {
  let gathered: StoredEvent[] = [];
  if (from.after >= to) return;
  for await (const { facts, position } of followLog(calls, { ...from, most: atATime })) {
    const isEnd = position >= to;
    for (const fact of facts) if (fact.position <= to) gathered.push(fact);
    if (!isEnd && gathered.length < atATime) continue;
    yield { facts: gathered, position: Math.min(position, to) };
    if (isEnd) return;
    gathered = [];
  }
}

async function begin(calls: Calls, after: number, prefixes: readonly string[] | undefined): Promise<ReadCall> {
  try {
    return await calls.read(allAfter(after, prefixes));
  } catch (error) {
    throw new StoreUnavailable(error);
  }
}

interface Gathered {
  readonly facts: StoredEvent[];
  /** -1 where there is nothing. */
  position: number;
  /** How many messages, and how many bytes of them, may be added. */
  left: number;
  leftBytes: number;
}

type Source = ReturnType<typeof createSource>;

function createSource(call: ReadCall) {
  let failure: unknown;
  let wake = () => {};
  call.on('readable', () => wake());
  call.on('close', () => wake());
  call.on('error', (error) => {
    failure = error;
    wake();
  });

  return {
    wake: () => wake(),
    /** Adds what is there now and may be added. @returns whether anything was there */
    take(batch: Gathered): boolean {
      const before = batch.left;
      while (batch.left > 0 && batch.leftBytes > 0) {
        const message = call.read() as Buffer | null;
        if (message === null) break;
        batch.left -= 1;
        batch.leftBytes -= message.length;
        const answer = readReadResponse(message);
        if (answer.kind !== 'event' && answer.kind !== 'checkpoint') continue;
        batch.position = answer.position;
        if (answer.kind === 'event' && answer.event) batch.facts.push(answer.event);
      }
      return batch.left < before;
    },
    /** @throws StoreUnavailable where nothing more will come */
    async whenMore(signal: AbortSignal): Promise<void> {
      if (failure !== undefined || call.readableEnded || call.destroyed) {
        throw new StoreUnavailable(failure ?? new Error('the subscription ended'));
      }
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    },
    cancel: () => cancel(call),
  };
}

/** Ends a call before its end. In a turn of its own: https://github.com/grpc/grpc-node/issues/1652 */
export function cancel(call: ReadCall): void {
  setImmediate(() => call.cancel());
}
