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
import { stream } from '../../domain/facts.ts';
import { NO_STREAM_YET } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import { createLoop } from '../../infra/loop.ts';
import { pause } from '../../infra/pause.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import { createRemains, type Remains } from '../remains.ts';
import { systemFact } from '../system-fact.ts';
import { createExpirer, type ExpirerDeps } from './expirer.ts';
import type { Term } from './leadership.ts';
import type { Relay } from './relay.ts';
import { createKeeper, PAGE, truncateAll, whenAllIsRead, whenHeadCovers, whenRead } from './truncation.ts';

/** How often it is looked for something to erase, in ms. */
const IDLE_MS = 200;
/** How often it is looked for what has expired, in ms; more often where RETENTION is short. */
const EXPIRE_MS = 6 * 3_600_000;

export interface EraserDeps extends Omit<ExpirerDeps, 'readModels' | 'retentionMs'> {
  readonly readModels: ExpirerDeps['readModels'] & Pick<ReadModels, 'erasures'>;
  readonly relay: Pick<Relay, 'whenLeading'>;
  /** RETENTION; undefined where events are kept for ever. */
  readonly retentionMs: number | undefined;
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
    const news = facts.map((fact) => systemFact(fact, String(channelId)));
    const appended = await store.append(stream.erasure(channelId), news, revision);
    await whenRead(progress, appended.position, term);
    const more = command.type === 'EraseStreams' ? command.streams : [];
    const state = facts.reduce<Erasure>(evolveErasure, erasure);
    return { channelId, erasure: state, revision: appended.revision, streams: [...streams, ...more] };
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
      const upTo = await whenAllIsRead(deps, term);
      const left = erasures.left(known.channelId);
      if (left.length === 0 || term.isOver()) return now;
      const last = await keepRemains(known.channelId, left, remains);
      if (last >= 0) await whenHeadCovers(tree, last, term);
      const streams = left.map((name) => ({ stream: name, before: remains.before(name) }));
      const erased = erasedOf(known.channelId, remains);
      now = await carryOut(now, { type: 'EraseStreams', streams, upTo, erased }, term);
      await truncateAll(store, streams);
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
    if (known.erasure.status === 'running') await truncateAll(store, known.streams);
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
    const { retentionMs } = deps;
    const expirer = retentionMs === undefined ? undefined : createExpirer({ ...deps, retentionMs });
    const everyMs = Math.min(EXPIRE_MS, (retentionMs ?? 0) / 50);
    let nextMs = 0;
    await whenAllIsRead(deps, term);
    await expirer?.begin();
    while (!term.isOver()) {
      const channelId = erasures.unfinished();
      if (channelId !== undefined) {
        await remains.catchUp();
        await erase(channelId, remains, term);
      } else if (expirer && performance.now() >= nextMs) {
        await expirer.round(remains, term);
        nextMs = performance.now() + everyMs;
      } else await pause(IDLE_MS, term.signal);
      working();
    }
  });
}

function erasedOf(channelId: number, remains: Remains) {
  return erasedIn(remains.ofChannel(channelId).map(({ types }) => types));
}
