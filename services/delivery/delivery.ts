import { setTimeout as delay } from 'node:timers/promises';
import type { JsMsg } from 'nats';
import type { RetryPolicy } from '../../domain/retry-rule.ts';
import type { EventStore } from '../../infra/event-store/client.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { MasterSecretMissing } from '../../infra/master-secrets.ts';
import type { Metrics } from '../../infra/metrics/metrics.ts';
import type { Outbound } from '../../infra/outbound/post.ts';
import type { Queue } from '../../infra/queue/client.ts';
import { decodeMessage, type QueueMessage } from '../../infra/queue/message.ts';
import type { Membership } from '../../infra/queue/workers.ts';
import { createRecent } from '../../infra/recent.ts';
import { createSlots } from '../../infra/slots.ts';
import type { Tracing } from '../../infra/tracing/tracing.ts';
import type { Progress } from '../../projections/progress.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import { createPoster } from './attempt.ts';
import { createAttemptFigures } from './attempt-figures.ts';
import { createAttemptSpans } from './attempt-span.ts';
import { createAutoPause } from './auto-pause.ts';
import { createBodies } from './bodies.ts';
import { createHandler, type Verdict } from './handler.ts';
import { createHeld } from './held.ts';
import { createLanes } from './lanes.ts';
import { createRecorder } from './recorder.ts';

/** Deliveries in hand at a time: what bounds memory, whatever the backlog. */
const IN_HAND = 2_048;
/** Live messages of a shard that are fetched ahead of them: what is more than a webhook may have under way only goes back to the queue. */
const AHEAD = 32;
/** How often it is looked whether outcomes can be recorded again, in ms. */
const LOOK_MS = 5;
/** How old the position of the log's end may be, in ms: less than it takes until a message that another worker was handed comes here. */
const RECENT_MS = 500;
/** When a message whose handling failed comes back, in ms. */
const FAILED_MS = 1_000;
/** The same where its keys cannot be had here, which only another start with other settings mends, in ms. */
const SECRET_MISSING_MS = 10_000;

export interface DeliveryDeps {
  readonly store: EventStore;
  readonly queue: Queue;
  readonly readModels: ReadModels;
  readonly progress: Progress;
  readonly outbound: Outbound;
  readonly keys: Keys;
  readonly policy: RetryPolicy;
  /** How long a webhook may fail before it is paused, in ms; undefined: for ever. */
  readonly autoPauseAfterMs?: number | undefined;
  /** How long to wait for the read models before a message is sent back, in ms. */
  readonly patienceMs: number;
  /** How long the queue lets a message be held before it hands it out again, in ms. */
  readonly ackWaitMs: number;
  readonly nowMs: () => number;
  readonly metrics: Metrics;
  /** Absent where there are no traces. */
  readonly tracing?: Tracing | undefined;
  readonly log: Logger;
}

/**
 * Empties the queue: each message becomes an attempt, a fact of it, and only then an ack or a nak until the next one is due. Where several processes do, each
 * has its share of the webhooks.
 */
export function createDelivery(deps: DeliveryDeps): Service {
  const { store, queue, log } = deps;
  const slots = createSlots(IN_HAND);
  const giveUp = new AbortController();
  let share: Membership | undefined;
  const held = createHeld(queue, deps.ackWaitMs, () => performance.now());
  const recorder = createRecorder(store, log, giveUp.signal, () => performance.now());
  const handle = createHandler({
    ...deps,
    lanes: createLanes(IN_HAND, () => performance.now()),
    isOurs: (webhookId) => share?.has(webhookId) ?? true,
    head: createRecent(store.lastPosition, RECENT_MS),
    bodies: createBodies(deps.readModels),
    post: createPoster(deps),
    autoPause: createAutoPause({ ...deps, afterMs: deps.autoPauseAfterMs }),
    append: recorder.append,
    figures: createAttemptFigures(deps.metrics),
    beginSpan: createAttemptSpans(deps.tracing, deps.readModels),
  });

  async function work(message: JsMsg) {
    held.add(message);
    try {
      const decoded = decodeMessage(message.data);
      const handing = { isAgain: message.redelivered && !share?.isSettled(), isHeld: () => held.has(message) };
      await settle(message, decoded, await handle(decoded, handing));
    } catch (error) {
      if (error instanceof SyntaxError) message.term('not a message of ours');
      else if (!giveUp.signal.aborted)
        message.nak(error instanceof MasterSecretMissing ? SECRET_MISSING_MS : FAILED_MS);
      log.error({ err: error }, 'a delivery could not be handled');
    } finally {
      held.remove(message);
      slots.release();
    }
  }

  async function settle(message: JsMsg, decoded: QueueMessage, verdict: Verdict) {
    if (verdict === 'done') message.ack();
    else if (verdict === 'elsewhere') await queue.passOn(message, decoded);
    else if (verdict === 'lost') log.warn(decoded, 'this message may be with another worker by now: left to it');
    else if ('againInMs' in verdict) message.nak(verdict.againInMs);
    else await queue.postpone(message, { ...decoded, ...verdict });
  }

  /** Takes no share of the work before it can do it: until its read models are there, others deliver. */
  async function join(signal: AbortSignal): Promise<Membership> {
    const { progress } = deps;
    while (!(await progress.whenProcessed(progress.head, deps.patienceMs))) {
      signal.throwIfAborted();
      log.info({ position: progress.current(), up_to: progress.head }, 'waiting for the read models');
    }
    return queue.join();
  }

  const loop = createLoop('delivery', log, async (signal, working) => {
    share ??= await join(signal);
    for await (const message of queue.consume(AHEAD, signal, share)) {
      await slots.acquire();
      while (recorder.isHeldUp() && !signal.aborted) await delay(LOOK_MS);
      if (held.stoodStill()) {
        slots.release();
        log.warn('this process stood still: what it was handed before may be with another worker by now');
        return;
      }
      if (signal.aborted) {
        message.nak();
        slots.release();
        continue;
      }
      void work(message);
      working();
    }
  });

  return {
    ...loop,
    async stop() {
      share?.leave();
      await loop.stop();
      await drain(slots.whenIdle(), giveUp);
      held.stop();
    },
  };
}

/** How long what is in flight may take to finish when stopping, in ms; what has not by then comes back by itself. */
const DRAIN_MS = 16_500;

async function drain(idle: Promise<void>, giveUp: AbortController) {
  const timer = setTimeout(() => giveUp.abort(), DRAIN_MS);
  await Promise.race([idle, new Promise((resolve) => giveUp.signal.addEventListener('abort', resolve))]);
  clearTimeout(timer);
}
