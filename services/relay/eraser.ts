import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  decideErasure,
  type ErasedStream,
  type Erasure,
  type ErasureCommand,
  type ErasureFact,
  erasedIn,
  evolveErasure,
  NO_ERASURE,
} from '../../domain/erasure.ts';
import { FACT_VERSION, type Fact, type NewFact, stream } from '../../domain/facts.ts';
import type { RemainsFact } from '../../domain/remains.ts';
import { type EventStore, NO_STREAM_YET, type StoredEvent } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { pause } from '../../infra/pause.ts';
import { type NamedLeaf, namedLeaf, stretchOf } from '../../projections/merkle/remains.ts';
import type { Tree } from '../../projections/merkle/tree-file.ts';
import type { Progress } from '../../projections/progress.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import { createRemains, type Remains } from '../remains.ts';
import type { Term } from './leadership.ts';
import type { Relay } from './relay.ts';

/** How often it is looked for something to erase, and whether what is waited for is there, in ms. */
const IDLE_MS = 200;
const LOOK_MS = 50;
/** How long to wait at a time for the projector, in ms. */
const CATCH_UP_MS = 10_000;
/** Facts that are read at a time: each may have 768 KiB. */
const PAGE = 100;
/** Facts and streams whose remains are appended as one fact: each takes about 50 bytes, and a stream 100 beside that. */
const FACTS = 8_000;
const STREAMS = 2_000;

export interface EraserDeps {
  readonly store: Pick<EventStore, 'read' | 'storedIn' | 'append' | 'truncate' | 'lastPosition'>;
  readonly readModels: Pick<ReadModels, 'erasures'>;
  readonly progress: Pick<Progress, 'whenProcessed'>;
  /** The tree over the log, as far as this node has it. */
  readonly tree: () => Pick<Tree, 'indexOf' | 'lastHead'> | undefined;
  readonly relay: Pick<Relay, 'whenLeading'>;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/** An erasure as the log has it. */
interface Known {
  readonly channelId: number;
  readonly erasure: Erasure;
  readonly revision: number;
  /** What may be truncated by now. */
  readonly streams: readonly ErasedStream[];
}

/**
 * Carries out erasures, one after the other: lets the read models drop the channel's events, writes down what has to remain of its facts, waits until a signed head covers them, then truncates their
 * streams. What was done is told by the log, and each step can be taken again: whoever leads next, after whatever crash, goes on where the log ends.
 */
export function createEraser(deps: EraserDeps): Service {
  const { store, progress, relay, tree, log } = deps;
  const { erasures } = deps.readModels;

  async function read(channelId: number): Promise<Known> {
    const facts = await store.read<ErasureFact>(stream.erasure(channelId));
    const erasure = facts.reduce<Erasure>(evolveErasure, NO_ERASURE);
    const streams = facts.flatMap((fact) => (fact.type === 'StreamsErased' ? fact.data.streams : []));
    return { channelId, erasure, revision: facts.at(-1)?.revision ?? NO_STREAM_YET, streams };
  }

  /** Appends what a command makes happen, and waits until the read models know. */
  async function carryOut(
    { channelId, erasure, revision, streams }: Known,
    command: ErasureCommand,
    term: Term,
  ): Promise<Known> {
    const facts = decideErasure(erasure, command);
    const news = facts.map((fact) => newFact(fact, channelId));
    const appended = await store.append(stream.erasure(channelId), news, revision);
    await whenProcessed(appended.position, term);
    const more = command.type === 'EraseStreams' ? command.streams : [];
    const state = facts.reduce<Erasure>(evolveErasure, erasure);
    return { channelId, erasure: state, revision: appended.revision, streams: [...streams, ...more] };
  }

  async function whenProcessed(position: number, { signal }: Term) {
    while (!(await progress.whenProcessed(position, CATCH_UP_MS))) signal.throwIfAborted();
  }

  /** Until it does, what remains could be changed without that anybody could tell. */
  async function whenHeadCovers(position: number, { signal }: Term) {
    for (;;) {
      const index = tree()?.indexOf(position);
      const size = tree()?.lastHead()?.tree_size ?? 0;
      if (index !== undefined && index < size) return;
      await delay(LOOK_MS, undefined, { signal });
    }
  }

  async function truncate(streams: readonly ErasedStream[]) {
    for (const { stream: name, before } of streams) if (before > 0) await store.truncate(name, before);
  }

  async function eraseEvents(known: Known, term: Term): Promise<Known> {
    let now = known;
    for (;;) {
      const below = erasures.nextBelow(known.channelId);
      if (below === undefined || term.isOver()) return now;
      now = await carryOut(now, { type: 'EraseEvents', below }, term);
    }
  }

  async function eraseStreams(known: Known, remains: Remains, term: Term): Promise<Known> {
    let now = known;
    for (;;) {
      // In this order: what the streams hold by then is read, and they are all that was known to hold something.
      const upTo = await store.lastPosition();
      await whenProcessed(upTo, term);
      const left = erasures.left(known.channelId);
      if (left.length === 0 || term.isOver()) return now;
      const last = await keepRemains(known.channelId, left, remains);
      if (last >= 0) await whenHeadCovers(last, term);
      const streams = left.map((name) => ({ stream: name, before: remains.before(name) }));
      const erased = erasedOf(known.channelId, remains);
      now = await carryOut(now, { type: 'EraseStreams', streams, upTo, erased }, term);
      await truncate(streams);
    }
  }

  /** @returns position of the last fact of these streams; -1 where there is none */
  async function keepRemains(channelId: number, streams: readonly string[], remains: Remains): Promise<number> {
    await remains.catchUp();
    const keeper = createKeeper(store, channelId, remains);
    for (const name of streams) {
      for (let from = remains.before(name); ; from += PAGE) {
        const events = await store.storedIn(name, from, PAGE);
        await keeper.add(events);
        if (events.length < PAGE) break;
      }
    }
    await keeper.flush();
    return Math.max(-1, ...streams.map((name) => remains.lastOf(name)));
  }

  async function erase(channelId: number, remains: Remains, term: Term) {
    let known = await read(channelId);
    // A crash may have come between the fact and this.
    if (known.erasure.status === 'running') await truncate(known.streams);
    known = await eraseEvents(known, term);
    known = await eraseStreams(known, remains, term);
    if (term.isOver()) return;
    const erased = erasedOf(channelId, remains);
    await carryOut(known, { type: 'FinishErasure', atMs: deps.nowMs(), erased }, term);
    log.info({ channel_id: channelId, ...erased }, 'a channel is erased');
  }

  return createLoop('eraser', log, async (signal, working) => {
    const term = await relay.whenLeading(signal);
    const remains = createRemains(store);
    while (!term.isOver()) {
      const channelId = erasures.unfinished();
      if (channelId === undefined) await pause(IDLE_MS, term.signal);
      else {
        await remains.catchUp();
        await erase(channelId, remains, term);
      }
      working();
    }
  });
}

/** Gathers what remains of facts, and appends it, many at a time. */
function createKeeper(store: Pick<EventStore, 'append'>, channelId: number, remains: Remains) {
  let gathered = new Map<string, NamedLeaf[]>();
  let count = 0;

  async function flush() {
    if (count === 0) return;
    const stretches = [...gathered.values()].map(stretchOf);
    const fact: RemainsFact = { type: 'FactsErased', data: { channel_id: channelId, stretches } };
    await store.append(stream.remains, [newFact(fact, channelId)], remains.revision());
    await remains.catchUp();
    gathered = new Map();
    count = 0;
  }
  return {
    flush,
    /** @param events that follow each other in a stream */
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

function erasedOf(channelId: number, remains: Remains) {
  return erasedIn(remains.ofChannel(channelId).map(({ types }) => types));
}

function newFact<F extends Fact>(fact: F, channelId: number): NewFact<F> {
  const $correlationId = String(channelId);
  const metadata = { $correlationId, $causationId: $correlationId, version: FACT_VERSION, by: 'system' } as const;
  return { ...fact, id: randomUUID(), metadata };
}
