import { setTimeout as delay } from 'node:timers/promises';
import type { EventStore } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import type { Queue, QueueState } from '../../infra/queue/client.ts';
import type { PendingDelivery } from '../../projections/deliveries.ts';
import type { Progress } from '../../projections/progress.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import type { KnownBroker, Registry } from './registry.ts';

/** How often the queue is held against the read models, in ms. */
const SWEEP_MS = 2_000;
/** Deliveries read and enqueued at a time. */
const PAGE = 500;
/** In how many sweeps in a row something must be wrong with the queue before it is mended. */
const SWEEPS_IN_A_ROW = 3;
/** Stuck messages that are left alone; more are once they outnumber the others, so that handing out all again costs in proportion. */
const STUCK = 1_000;
/** How long to wait at a time for the projector to catch up, in ms. */
const CATCH_UP_MS = 10_000;
/** How often the relay's own place is looked at while waiting for it, in ms. */
const LOOK_MS = 50;

export interface SweeperDeps {
  readonly store: EventStore;
  readonly queue: Queue;
  readonly readModels: ReadModels;
  readonly progress: Progress;
  readonly relay: { readonly registry: Registry; readonly reading: () => number };
  readonly log: Logger;
  readonly nowMs: () => number;
  /** By how much a delivery must be overdue, beyond the queue's own lag, before it is missed, in ms. */
  readonly marginMs: number;
}

/**
 * Keeps the queue disposable: what the read models show as pending and the broker no longer holds is put on the queue again. A broker that has
 * forgotten (another stream, or one that ends before what the relay has seen of it) gets everything at once. What the broker holds but hands out to
 * nobody is got out of it by another consumer.
 */
export function createSweeper(deps: SweeperDeps): Service {
  const { queue, relay, progress, store, log } = deps;
  const isShortForLong = createStreak(SWEEPS_IN_A_ROW);
  const isSilentForLong = createStreak(SWEEPS_IN_A_ROW);
  let handedOut = 0;

  async function sweep(publisher: Publisher, signal: AbortSignal) {
    // In this order: what the relay sees of the broker while that is asked is no sign that it has forgotten.
    const known = relay.registry.broker();
    const state = await queue.state();
    if (state.incarnation !== known.incarnation || state.lastSequence < known.last_sequence) {
      await startOver(deps, publisher, { known, state }, signal);
      return;
    }
    const beforeMs = deps.nowMs() - state.lagMs - deps.marginMs;
    if (!(await progress.whenProcessed(await store.lastPosition(), CATCH_UP_MS))) return;
    await compare(publisher, state, beforeMs);
  }

  async function compare(publisher: Publisher, state: QueueState, beforeMs: number) {
    const { deliveries } = deps.readModels;
    const isOverdue = deliveries.pending(beforeMs, { limit: 1 }).length > 0;
    const isSilent = isOverdue && state.isAsked && state.handedOut === handedOut;
    handedOut = state.handedOut;
    if (isShortForLong(isOverdue && state.messages < deliveries.countPending())) {
      const count = await enqueue(deps, publisher, beforeMs, Number.MAX_SAFE_INTEGER);
      log.warn({ count }, 'overdue deliveries that the queue may have lost are on it again');
    } else if (isSilentForLong(isSilent) || state.stuck > Math.max(STUCK, state.messages)) {
      await queue.renewConsumer();
      log.warn(
        { stuck: state.stuck, messages: state.messages },
        'the queue held back messages: all are handed out again',
      );
    }
  }

  return createLoop('sweeper', log, async (signal, working) => {
    await queue.ensure();
    const publisher = createPublisher(queue, log, signal);
    while (!signal.aborted) {
      await sweep(publisher, signal);
      working();
      await delay(SWEEP_MS, undefined, { signal });
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
async function startOver(
  deps: SweeperDeps,
  publisher: Publisher,
  { known, state }: { readonly known: KnownBroker; readonly state: QueueState },
  signal: AbortSignal,
) {
  const { queue, relay, log } = deps;
  const isNew = known.incarnation !== '' && known.incarnation !== state.incarnation;
  // What an old one holds is pending or done with: the former would be there twice.
  if (!isNew && state.lastSequence > 0) await queue.renewStream();
  const { incarnation, lastSequence } = await queue.state();
  const skippedTo = relay.registry.skippedTo();
  if (skippedTo === undefined) return;
  const relayedTo = relay.reading();
  await whenKnown(deps, relayedTo, signal);
  const count = await enqueue(deps, publisher, Number.MAX_SAFE_INTEGER, Math.max(skippedTo, relayedTo));
  if (count > 0) log.warn({ count }, 'the queue was not the one that was known: everything pending is on it again');
  relay.registry.setBroker({ incarnation, last_sequence: lastSequence });
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

async function enqueue(
  { readModels, log }: SweeperDeps,
  publisher: Publisher,
  beforeMs: number,
  upTo: number,
): Promise<number> {
  let count = 0;
  let page: PendingDelivery[];
  let after: PendingDelivery | undefined;
  do {
    page = readModels.deliveries.pending(beforeMs, { after, limit: PAGE });
    after = page.at(-1);
    for (const { event_id, webhook_id, position, due_ms } of page) {
      if (position > upTo) continue;
      await publisher.add({ event_id, webhook_id, position }, `${event_id}-${webhook_id}-${due_ms}`);
      count += 1;
      if (count % 10_000 === 0) log.info({ count }, 'putting pending deliveries on the queue again');
    }
    await publisher.flush();
  } while (page.length === PAGE);
  return count;
}
