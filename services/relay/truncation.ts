import { setTimeout as delay } from 'node:timers/promises';
import type { ErasedStream } from '../../domain/erasure.ts';
import { stream } from '../../domain/facts.ts';
import type { RemainsFact } from '../../domain/remains.ts';
import type { EventStore, StoredEvent } from '../../infra/event-store/client.ts';
import { type NamedLeaf, namedLeaf, stretchOf } from '../../projections/merkle/remains.ts';
import type { Tree } from '../../projections/merkle/tree-file.ts';
import type { Progress } from '../../projections/progress.ts';
import type { Remains } from '../remains.ts';
import { systemFact } from '../system-fact.ts';
import type { Term } from './leadership.ts';

/** How often it is looked whether what is waited for is there, in ms. */
export const LOOK_MS = 50;
/** How long to wait at a time for the projector, in ms. */
const CATCH_UP_MS = 10_000;
/** Facts that are read at a time: each may have 768 KiB. */
export const PAGE = 100;
/** Facts and streams whose remains are appended as one fact: each takes about 50 bytes, and a stream 100 beside that. */
const FACTS = 8_000;
const STREAMS = 2_000;

/** The tree over the log, as far as this node has it. */
export type OwnTree = () => Pick<Tree, 'indexOf' | 'lastHead'> | undefined;

/** Until a signed head covers a place in the log, what remains of it could be changed without that anybody could tell. */
export async function whenHeadCovers(tree: OwnTree, position: number, { signal }: Term): Promise<void> {
  for (;;) {
    const index = tree()?.indexOf(position);
    const size = tree()?.lastHead()?.tree_size ?? 0;
    if (index !== undefined && index < size) return;
    await delay(LOOK_MS, undefined, { signal });
  }
}

/** Waits for the read models of this node, however long it takes. */
export async function whenRead(progress: Pick<Progress, 'whenProcessed'>, position: number, { signal }: Term) {
  while (!(await progress.whenProcessed(position, CATCH_UP_MS))) signal.throwIfAborted();
}

/**
 * Until the read models know all that the log holds by now. What they do not know of an old event must mean that it has gone, not that they are being made anew.
 * @throws StoreUnavailable
 */
export async function whenAllIsRead(
  { store, progress }: { store: Pick<EventStore, 'lastPosition'>; progress: Pick<Progress, 'whenProcessed'> },
  term: Term,
): Promise<number> {
  const position = await store.lastPosition();
  await whenRead(progress, position, term);
  return position;
}

export async function truncateAll(
  store: Pick<EventStore, 'truncate'>,
  streams: readonly ErasedStream[],
): Promise<void> {
  for (const { stream: name, before } of streams) if (before > 0) await store.truncate(name, before);
}

/** Gathers what remains of a channel's facts, and appends it, many at a time. */
export function createKeeper(store: Pick<EventStore, 'append'>, channelId: number, remains: Remains) {
  let gathered = new Map<string, NamedLeaf[]>();
  let count = 0;

  async function flush() {
    if (count === 0) return;
    const stretches = [...gathered.values()].map(stretchOf);
    const fact: RemainsFact = { type: 'FactsErased', data: { channel_id: channelId, stretches } };
    await store.append(stream.remains, [systemFact(fact, String(channelId))], remains.revision());
    await remains.catchUp();
    gathered = new Map();
    count = 0;
  }
  return {
    flush,
    /** @param events that follow each other in a stream, and what of it has left something already */
    async add(events: readonly StoredEvent[]): Promise<void> {
      for (const event of events) {
        const own = gathered.get(event.stream) ?? [];
        gathered.set(event.stream, own);
        own.push(namedLeaf(event));
      }
      count += events.length;
      if (count >= FACTS || gathered.size >= STREAMS) await flush();
    },
  };
}
