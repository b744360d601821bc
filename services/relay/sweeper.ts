import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import type { EventStore } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { pause } from '../../infra/pause.ts';
import type { Queue, QueueIdentity, QueueState } from '../../infra/queue/client.ts';
import type { PendingDelivery } from '../../projections/deliveries.ts';
import type { Progress } from '../../projections/progress.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import type { Term } from './leadership.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import type { Relay } from './relay.ts';
import type { Resumer } from './resumer.ts';

/** How often the queue is held against the read models unless it is said, in ms. */
const SWEEP_MS = 2_000;
/** Deliveries read and enqueued at a time. */
const PAGE = 500;
/** In how many sweeps in a row something must be wrong with the queue before it is mended, or a cluster be short of what it had: its new leader may be catching up. */
const SWEEPS_IN_A_ROW = 3;
/** In one of how many sweeps the queue is asked for all that it can tell where nothing is overdue: for that it counts all that it holds. */
const WHOLE_SWEEP = 15;
/** Stuck messages that are left alone; more are once they outnumber the others, so that handing out all again costs in proportion. */
const STUCK = 1_000;
/** How long to wait at a time for the projector to catch up, in ms. */
const CATCH_UP_MS = 10_000;
/** How often the relay's own place, or the queue, is looked at while waiting for it, in ms. */
const LOOK_MS = 50;
/** How many messages may wait for a worker before the sweeper adds more: what is published now stands behind them. */
const UNTAKEN = 1_000;

export interface SweeperDeps {
  readonly store: EventStore;
  readonly queue: Queue;
  readonly readModels: ReadModels;
  readonly progress: Progress;
  readonly relay: Pick<Relay, 'registry' | 'reading' | 'whenLeading'>;
  readonly resumer: Pick<Resumer, 'ahead'>;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** By how much a delivery must be overdue, beyond the queue's own lag, before it is missed, in ms. */
  readonly marginMs: number;
  /** How often the queue is held against the read models, in ms; absent: every two seconds. */
  readonly sweepMs?: number;
}

interface Before {
  /** Where the relay was. */
  readonly relayedTo: number;
  /** What was due before that is overdue, in ms since the epoch. */
  readonly beforeMs: number;
}

/**
 * Keeps the queue disposable: what the read models show as pending and the broker no longer holds is put on the queue again. A broker that has
 * forgotten (another stream, or one that ends before what the relay has seen of it) gets everything at once. What the broker holds but hands out to
 * nobody is got out of it by another consumer. Works only where the relay leads.
 */
export function createSweeper(deps: SweeperDeps): Service {
  const { queue, relay, resumer, progress, store, log } = deps;
  const isShortForLong = createStreak(SWEEPS_IN_A_ROW);
  const isSilentForLong = createStreak(SWEEPS_IN_A_ROW);
  const isBehindForLong = createStreak(SWEEPS_IN_A_ROW);
  /** How many messages had been handed out when that was asked last, and since when it has been so many, in ms since the epoch. */
  let handedOut = -1;
  let handedOutMs = 0;
  let sweeps = 0;

  /** Whether something is pending that was due before then. */
  const isOverdue = (beforeMs: number) => deps.readModels.deliveries.pending(beforeMs, { limit: 1 }).length > 0;

  /** Whether the stream ends before what is known of it. */
  function hasForgotten({ lastSequence, server }: QueueIdentity, last_sequence: number): boolean {
    const isBehind = lastSequence < last_sequence;
    return isBehindForLong(isBehind) || (isBehind && server !== 'cluster');
  }

  async function sweep(publisher: Publisher, { signal, isOver }: Term) {
    const relayedTo = relay.registry.position();
    // Before the queue is asked: the relay goes on.
    const known = relay.registry.broker();
    const identity = await queue.identity();
    if (isOver()) return;
    if (identity.incarnation !== known.incarnation || hasForgotten(identity, known.last_sequence)) {
      await startOver(deps, publisher, identity, signal);
      return;
    }
    if (identity.server !== known.server) {
      // A nats-server 2.9 that was killed may hold back for good what it had handed out before.
      await queue.renewConsumers();
      relay.registry.setServer(identity.server);
      log.info(
        { last_sequence: identity.lastSequence },
        'the broker was started anew: all messages are handed out again',
      );
    }
    const isWhole = sweeps++ % WHOLE_SWEEP === 0;
    if (!isWhole && !isOverdue(deps.nowMs() - deps.marginMs)) {
      isShortForLong(false);
      isSilentForLong(false);
      return;
    }
    const state = await queue.state();
    if (isOver()) return;
    const beforeMs = deps.nowMs() - state.lagMs - deps.marginMs;
    if (!(await progress.whenProcessed(await store.lastPosition(), CATCH_UP_MS))) return;
    if (!isOver()) await compare(publisher, state, { relayedTo, beforeMs }, signal);
  }

  /** What was relayed before the queue was asked, and is still pending now, it must hold: what came or was done with meanwhile does not count. */
  async function compare(
    publisher: Publisher,
    state: QueueState,
    { relayedTo, beforeMs }: Before,
    signal: AbortSignal,
  ) {
    const { deliveries } = deps.readModels;
    const nowMs = deps.nowMs();
    const someOverdue = isOverdue(beforeMs);
    const isSilent = someOverdue && state.isAsked && state.handedOut === handedOut;
    if (state.handedOut !== handedOut) handedOutMs = nowMs;
    handedOut = state.handedOut;
    // Where the oldest message is the one that is held back, the queue's lag would excuse that for ever.
    const isHeldBack = state.isAsked && nowMs - handedOutMs > deps.marginMs && isOverdue(nowMs - deps.marginMs);
    const isShort = someOverdue && state.messages < deliveries.countPending(relayedTo) - resumer.ahead();
    if (isShortForLong(isShort)) {
      const count = await enqueue(deps, publisher, { beforeMs, upTo: Number.MAX_SAFE_INTEGER }, signal);
      log.warn({ count }, 'overdue deliveries that the queue may have lost are on it again');
    } else if (isSilentForLong(isSilent) || isHeldBack || state.stuck > Math.max(STUCK, state.messages)) {
      await queue.renewConsumers();
      handedOutMs = deps.nowMs();
      log.warn(
        { stuck: state.stuck, messages: state.messages },
        'the queue held back messages: all are handed out again',
      );
    }
  }

  return createLoop('sweeper', log, async (signal, working) => {
    const term = await relay.whenLeading(signal);
    await queue.ensure();
    const publisher = createPublisher(queue, log, term);
    while (!term.isOver()) {
      await sweep(publisher, term);
      working();
      await pause(deps.sweepMs ?? SWEEP_MS, term.signal);
    }
  });
}

/** Tells whether something was so for `length` times in a row; then it begins to count anew. */
function createStreak(length: number): (isSo: boolean) => boolean {
  let count = 0;
  return (isSo) => {
    count = isSo ? count + 1 : 0;
    if (count < length) return false;
    count = 0;
    return true;
  };
}

/** Puts everything pending on a queue that is not as it was known to be. */
async function startOver(deps: SweeperDeps, publisher: Publisher, identity: QueueIdentity, signal: AbortSignal) {
  const { relay, log } = deps;
  const { incarnation, lastSequence, server } = identity;
  const skipped = relay.registry.skipped();
  if (!skipped) return;
  const relayedTo = relay.reading();
  await whenKnown(deps, relayedTo, signal);
  const isFirst = relay.registry.broker().incarnation === '' && skipped.on === incarnation;
  const upTo = isFirst ? skipped.to : Math.max(skipped.to, relayedTo);
  const which = { beforeMs: Number.MAX_SAFE_INTEGER, upTo };
  const count = await enqueue(deps, publisher, which, signal);
  if (count > 0) log.warn({ count }, 'the queue was not the one that was known: everything pending is on it again');
  relay.registry.setBroker({ incarnation, last_sequence: lastSequence, server });
}

/**
 * Waits until all that the relay has skipped, or may have put on a queue that forgot it, stands in the read models, with what became of it.
 * @param relayedTo where the relay is now
 */
async function whenKnown({ relay, store, progress, log }: SweeperDeps, relayedTo: number, signal: AbortSignal) {
  const head = await store.lastPosition();
  while (relay.registry.position() < relayedTo) await delay(LOOK_MS, undefined, { signal });
  while (!(await progress.whenProcessed(head, CATCH_UP_MS))) {
    signal.throwIfAborted();
    log.info({ position: progress.current(), up_to: head }, 'the queue is new: waiting for the read models');
  }
}

interface Which {
  /** When it must have been due, in ms since the epoch. */
  readonly beforeMs: number;
  /** Where in the log the last publication lies that counts. */
  readonly upTo: number;
}

/** Puts what is pending on the queue, no faster than workers take it; how many that were. */
async function enqueue(deps: SweeperDeps, publisher: Publisher, which: Which, signal: AbortSignal): Promise<number> {
  const { queue, nowMs, log } = deps;
  // Part of the ids, since a broker would take what it has lost for a repetition of what it had: nothing would be added.
  const sweptAtMs = nowMs();
  let count = 0;
  for (const page of await keysOf(deps, which, signal)) {
    for (let at = 0; at < page.length; at += KEY) {
      const [event_id, webhook_id, position, due_ms] = page.subarray(at, at + KEY) as unknown as Key;
      await publisher.add({ event_id, webhook_id, position }, `${event_id}-${webhook_id}-${sweptAtMs}`, due_ms);
      count += 1;
      if (count % 10_000 === 0) log.info({ count }, 'putting pending deliveries on the queue again');
    }
    await publisher.flush();
    while ((await queue.state()).untaken > UNTAKEN) await delay(LOOK_MS, undefined, { signal });
  }
  return count;
}

/** Event, webhook, position and time of a pending delivery. */
type Key = [number, number, number, number];
const KEY = 4;

/**
 * The keys of what is pending now, a page after the other. All of it before the first is enqueued: what is attempted meanwhile, and
 * due again later, would come up a second time.
 */
async function keysOf({ readModels, progress }: SweeperDeps, { beforeMs, upTo }: Which, signal: AbortSignal) {
  const pages: Float64Array[] = [];
  let page: PendingDelivery[];
  let after: PendingDelivery | undefined;
  do {
    page = readModels.deliveries.pending(beforeMs, { after, limit: PAGE });
    after = page.at(-1);
    const wanted = page.filter(({ position }) => position <= upTo);
    // Whoever makes the attempt must know what these read models know: those of another node may not show one that was made.
    const known = progress.reached();
    const keys = wanted.flatMap((key): Key => {
      return [key.event_id, key.webhook_id, Math.max(key.position, known), key.due_ms];
    });
    pages.push(Float64Array.from(keys));
    await setImmediate(undefined, { signal });
  } while (page.length === PAGE);
  return pages;
}
