import { type AllStreamResolvedEvent, type Position, START, streamNameFilter } from '@eventstore/db-client';
import { isFactStream, type RecordedFact } from '../../domain/facts.ts';
import { toFact } from './codec.ts';
import type { StoreClient } from './connection.ts';
import { StoreUnavailable } from './errors.ts';

/** Facts in log order, and the position up to which the log has been considered. */
export interface LogBatch {
  readonly facts: readonly RecordedFact[];
  readonly position: number;
}

/** The most facts handed over at a time. */
const BATCH = 512;

/**
 * Follows the log over a subscription to `$all`; see `EventStore.follow`. With prefixes the store passes over all other streams;
 * without, they are passed over here, and the position is exact to the last event.
 */
export async function* followLog(
  client: StoreClient,
  { after, prefixes, signal }: { after: number; prefixes: readonly string[] | undefined; signal: AbortSignal },
): AsyncGenerator<LogBatch> {
  const source = subscribe(client, after, prefixes);
  signal.addEventListener('abort', source.wake);
  let position = after;
  try {
    while (!signal.aborted) {
      const batch = source.take();
      if (batch.position > position) {
        position = batch.position;
        yield batch;
      } else {
        await source.whenMore(signal);
      }
    }
  } finally {
    signal.removeEventListener('abort', source.wake);
    await source.unsubscribe();
  }
}

function subscribe(client: StoreClient, after: number, prefixes: readonly string[] | undefined) {
  let considered = after;
  let failure: unknown;
  let wake = () => {};
  const checkpointReached = async (_: unknown, { commit }: Position) => {
    considered = Number(commit);
    wake();
  };
  const filter = prefixes && streamNameFilter({ prefixes: [...prefixes], checkpointInterval: 32, checkpointReached });
  const fromPosition = after < 0 ? START : { commit: BigInt(after), prepare: BigInt(after) };
  const events = client.subscribeToAll({ fromPosition, ...(filter && { filter }) }, { highWaterMark: BATCH });
  events.on('readable', () => wake());
  events.on('close', () => wake());
  events.on('error', (error) => {
    failure = error;
    wake();
  });

  return {
    wake: () => wake(),
    /** What is there now. The checkpoint counts once all before it has been taken: it may be ahead of the buffer. */
    take(): LogBatch {
      const facts: RecordedFact[] = [];
      let position = -1;
      for (let count = 0; count < BATCH; count++) {
        const next = events.read() as AllStreamResolvedEvent | null;
        if (next === null) return { facts, position: Math.max(position, considered) };
        position = Number(next.commitPosition ?? next.event?.position?.commit);
        if (next.event && isFactStream(next.event.streamId)) facts.push(toFact(next.event));
      }
      return { facts, position };
    },
    /** @throws StoreUnavailable where nothing more will come */
    async whenMore(signal: AbortSignal): Promise<void> {
      if (failure !== undefined || events.readableEnded || events.destroyed) {
        throw new StoreUnavailable(failure ?? new Error('the subscription ended'));
      }
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    },
    unsubscribe: () => events.unsubscribe().catch(() => {}),
  };
}
