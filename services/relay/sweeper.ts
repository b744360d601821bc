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
import type { Registry } from './registry.ts';

/** How often the queue is held against the read models, in ms. */
const SWEEP_MS = 2_000;
/** Deliveries read and enqueued at a time. */
const PAGE = 500;
/** In how many sweeps in a row the queue must hold too little before what is overdue counts as lost. */
const SHORT_SWEEPS = 3;
/** How long to wait at a time for the projector to catch up, in ms. */
const CATCH_UP_MS = 10_000;
/** How often the relay's own place is looked at while waiting for it, in ms. */
const LOOK_MS = 50;

export interface SweeperDeps {
  readonly store: EventStore;
  readonly queue: Queue;
  readonly readModels: ReadModels;
  readonly progress: Progress;
  readonly relay: { readonly registry: Registry; readonly reading: () => number | undefined };
  readonly log: Logger;
  readonly nowMs: () => number;
  /** By how much a delivery must be overdue, beyond the queue's own lag, before it is missed, in ms. */
  readonly marginMs: number;
}

/**
 * Keeps the queue disposable: what the read models show as pending and the broker no longer holds is put on the queue again. A broker that has
 * forgotten (another stream, or one that ends before what the relay has seen of it) gets everything at once.
 */
export function createSweeper(deps: SweeperDeps): Service {
  const { queue, relay, log } = deps;
  let shortSweeps = 0;

  async function sweep(publisher: Publisher, signal: AbortSignal) {
    const known = relay.registry.broker();
    const state = await queue.state();
    if (state.incarnation !== known.incarnation || state.lastSequence < known.last_sequence) {
      const upTo = relay.reading();
      if (upTo === undefined) return;
      await whenKnown(deps, upTo, signal);
      // What is there stands in the read models too, and would else be there twice.
      await queue.purge(state.lastSequence);
      const count = await enqueue(deps, publisher, Number.MAX_SAFE_INTEGER, upTo);
      if (count > 0) log.warn({ count }, 'the queue was not the one that was known: everything pending is on it again');
      relay.registry.setBroker({ incarnation: state.incarnation, last_sequence: state.lastSequence });
      return;
    }
    const beforeMs = deps.nowMs() - state.lagMs - deps.marginMs;
    if (!(await deps.progress.whenProcessed(await deps.store.lastPosition(), CATCH_UP_MS))) return;
    await removeLeftovers(deps, state);
    shortSweeps = isShort(deps.readModels, state, beforeMs) ? shortSweeps + 1 : 0;
    if (shortSweeps < SHORT_SWEEPS) return;
    shortSweeps = 0;
    const count = await enqueue(deps, publisher, beforeMs, Number.MAX_SAFE_INTEGER);
    log.warn({ count }, 'overdue deliveries that the queue may have lost are on it again');
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

/** Whether deliveries are overdue while the queue holds fewer messages than there are pending deliveries. */
function isShort({ deliveries }: ReadModels, { messages }: QueueState, beforeMs: number): boolean {
  return deliveries.pending(beforeMs, { limit: 1 }).length > 0 && messages < deliveries.countPending();
}

/**
 * A killed nats-server 2.9 comes back with thousands of messages that were acknowledged: it hands them out to nobody and keeps them for ever. The state must
 * be from before the read models last caught up: what it counts they know.
 */
async function removeLeftovers({ queue, readModels, log }: SweeperDeps, state: QueueState): Promise<void> {
  const isAllDone = readModels.deliveries.pending(Number.MAX_SAFE_INTEGER, { limit: 1 }).length === 0;
  const upToSequence = isAllDone ? state.lastSequence : state.doneSequence;
  if (upToSequence < state.firstSequence) return;
  await queue.purge(upToSequence);
  log.debug({ first: state.firstSequence, last: upToSequence }, 'messages that are done with are off the queue');
}

/** Waits until all that the relay may have put on a queue that forgot it can be read back, and which of it is still pending. */
async function whenKnown({ relay, store, progress, log }: SweeperDeps, upTo: number, signal: AbortSignal) {
  const head = await store.lastPosition();
  while (relay.registry.position() < upTo || !(await progress.whenProcessed(head, CATCH_UP_MS))) {
    signal.throwIfAborted();
    log.info({ position: progress.current(), up_to: head }, 'the queue is new: waiting for the read models');
    await delay(LOOK_MS, undefined, { signal });
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
