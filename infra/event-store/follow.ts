import { type EventStoreDBClient, type ResolvedEvent, START, streamNameFilter } from '@eventstore/db-client';
import type { RecordedFact } from '../../domain/facts.ts';
import { toFact } from './codec.ts';
import { StoreUnavailable } from './errors.ts';

/** Facts in log order, and the position up to which the log has been considered. */
export interface LogBatch {
  readonly facts: readonly RecordedFact[];
  readonly position: number;
}

/** The most facts handed over at a time. */
const BATCH = 512;

/** Follows the log over a filtered subscription to `$all`; see `EventStore.follow`. */
export async function* followLog(
  client: EventStoreDBClient,
  prefixes: readonly string[],
  after: number,
  signal: AbortSignal,
): AsyncGenerator<LogBatch> {
  let considered = after;
  let wake = () => {};
  const subscription = client.subscribeToAll(
    {
      fromPosition: after < 0 ? START : { commit: BigInt(after), prepare: BigInt(after) },
      filter: streamNameFilter({
        prefixes: [...prefixes],
        checkpointInterval: 32,
        checkpointReached: async (_, { commit }) => {
          considered = Number(commit);
          wake();
        },
      }),
    },
    { highWaterMark: BATCH },
  );
  let failure: unknown;
  const notify = () => wake();
  subscription.on('readable', notify).on('end', notify).on('close', notify);
  subscription.on('error', (error) => {
    failure = error;
    wake();
  });
  signal.addEventListener('abort', notify);
  try {
    while (!signal.aborted) {
      const facts: RecordedFact[] = [];
      for (let next: ResolvedEvent | null; facts.length < BATCH; ) {
        next = subscription.read() as ResolvedEvent | null;
        if (next === null) break;
        facts.push(toFact(next));
      }
      const position = facts.at(-1)?.position ?? considered;
      if (facts.length > 0 || position > after) {
        after = Math.max(after, position);
        yield { facts, position: after };
      } else if (failure !== undefined || subscription.readableEnded || subscription.destroyed) {
        throw new StoreUnavailable(failure ?? new Error('the subscription ended'));
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal.removeEventListener('abort', notify);
    await subscription.unsubscribe().catch(() => {});
  }
}
