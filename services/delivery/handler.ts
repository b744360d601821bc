import type { Delivery, Reply } from '../../domain/delivery.ts';
import { isPaused } from '../../domain/delivery.ts';
import type { NewFact } from '../../domain/facts.ts';
import { type RetryPolicy, shortestWaitMs } from '../../domain/retry-rule.ts';
import type { Appended } from '../../infra/event-store/client.ts';
import type { Logger } from '../../infra/log.ts';
import type { QueueMessage } from '../../infra/queue/message.ts';
import type { Progress } from '../../projections/progress.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import type { WebhookView } from '../../projections/webhooks.ts';
import { attemptFact, attemptStream, type createPoster } from './attempt.ts';
import type { AttemptFigures } from './attempt-figures.ts';
import type { createAttemptSpans } from './attempt-span.ts';
import type { AutoPause } from './auto-pause.ts';
import type { Bodies } from './bodies.ts';
import type { Lanes } from './lanes.ts';

/**
 * What becomes of a queue message: it is done with; is for another worker; is no longer ours to say anything about; comes back after so many ms; or waits for
 * the next attempt, which may be looked up where the read models have reached `position`.
 */
export type Verdict =
  | 'done'
  | 'elsewhere'
  | 'lost'
  | { readonly againInMs: number }
  | { readonly due_ms: number; readonly position: number };

/** How a message came here. */
export interface Handing {
  /** Whether another worker may have had it before: what that has recorded must be known before there is another attempt. */
  readonly isAgain: boolean;
  /** Whether the queue still takes it to be here; it may have handed it to another worker else. */
  readonly isHeld: () => boolean;
}

/** How early a message may be before it is sent back to wait, as a part of the shortest wait between attempts and in ms. */
const EARLY_PART = 0.1;
const EARLY_MS = 1_000;

export interface HandlerDeps {
  readonly readModels: ReadModels;
  readonly progress: Progress;
  readonly lanes: Lanes;
  /** Whether a webhook is one of those whose deliveries are made here. */
  readonly isOurs: (webhookId: number) => boolean;
  /** Position of the log's last event. */
  readonly head: () => Promise<number>;
  readonly bodies: Bodies;
  readonly post: ReturnType<typeof createPoster>;
  /** Appends until it is durable; rejects only when stopping. */
  readonly append: (stream: string, fact: NewFact, bytes: number) => Promise<Appended>;
  readonly autoPause: AutoPause;
  readonly figures: AttemptFigures;
  readonly beginSpan: ReturnType<typeof createAttemptSpans>;
  readonly policy: RetryPolicy;
  /** How long to wait for the read models before a message is sent back, in ms. */
  readonly patienceMs: number;
  readonly nowMs: () => number;
  readonly log: Logger;
}

/**
 * Makes the attempt that a queue message calls for, if the read models still want one: outcome first, then the verdict.
 * The queue is only a timetable: what is due, and whether at all, stands in the read models.
 */
export function createHandler(deps: HandlerDeps) {
  const { readModels, progress, lanes, isOurs, head, patienceMs, nowMs, log } = deps;
  const underWay = createUnderWay();
  const earlyMs = Math.min(EARLY_MS, shortestWaitMs(deps.policy) * EARLY_PART);

  const isEarly = (due_ms: number) => due_ms - nowMs() > earlyMs;

  return async ({ event_id, webhook_id, position, due_ms }: QueueMessage, handing: Handing): Promise<Verdict> => {
    if (due_ms !== undefined && isEarly(due_ms)) return { due_ms, position };
    // Here its limit is not kept, and what is under way for it is not known.
    if (!isOurs(webhook_id)) return 'elsewhere';
    const key = `${event_id}-${webhook_id}`;
    if (underWay.has(key)) return { againInMs: patienceMs };
    // First, because it costs nothing: a webhook that hangs may have many thousands waiting.
    const turnMs = lanes.waitMs(webhook_id);
    if (turnMs > 0) return { againInMs: turnMs };
    const recorded = handing.isAgain ? await head() : -1;
    const reached = progress.reached();
    const needed = Math.max(position, recorded, underWay.lastPosition(key, reached));
    if (reached < needed && !(await progress.whenProcessed(needed, patienceMs))) {
      log.warn({ event_id, webhook_id, position: needed }, 'the read models are behind: this delivery waits');
      return { againInMs: patienceMs };
    }
    const delivery = readModels.deliveries.byId(event_id, webhook_id);
    const webhook = readModels.webhooks.byId(webhook_id);
    // What waits for its webhook to be resumed is put on the queue again then.
    if (delivery?.status !== 'pending' || isPaused(delivery) || !webhook || webhook.pause !== null) return 'done';
    const dueMs = dueMsOf(delivery);
    if (isEarly(dueMs)) return { due_ms: dueMs, position: Math.max(needed, progress.reached()) };
    // Another message of the same delivery may have begun while this one waited.
    if (underWay.has(key)) return { againInMs: patienceMs };
    const lateTurnMs = lanes.waitMs(webhook_id);
    if (lateTurnMs > 0) return { againInMs: lateTurnMs };
    if (!handing.isHeld()) return 'lost';
    return underWay.during(key, () => attempt(deps, delivery, webhook));
  };
}

/** What was never tried, or is asked for again, is due at once: the time of that is by the clock of another process, which may be ahead of ours. */
function dueMsOf({ attempts, redelivery_id, next_attempt_at, window_from }: Delivery): number {
  return attempts.length === 0 || redelivery_id !== undefined
    ? Number.NEGATIVE_INFINITY
    : Date.parse(next_attempt_at ?? window_from);
}

async function attempt(deps: HandlerDeps, delivery: Delivery, webhook: WebhookView) {
  const { event_id, webhook_id } = delivery;
  const { lanes, policy, figures, log } = deps;
  const atMs = deps.nowMs();
  const leave = lanes.enter(webhook_id);
  figures.begun(delivery, atMs);
  const span = deps.beginSpan(delivery, webhook);
  let answer: Reply | undefined;
  try {
    answer = await deps.post(delivery, webhook, deps.bodies.get(event_id), atMs, span?.traceparent);
  } finally {
    leave(typeof answer?.status_code === 'number');
    figures.ended();
  }
  const fact = attemptFact(policy, delivery, webhook, { atMs, answer });
  const { outcome, next_attempt_at, status_code, error, duration_ms } = fact.data;
  span?.end(fact.data);
  const { position } = await deps.append(attemptStream(delivery), fact, 600 + answer.response_body.length);
  figures.recorded(fact.data);
  const ids = { channel_id: delivery.channel_id, event_id, webhook_id, attempt: delivery.attempts.length + 1 };
  if (outcome !== 'delivered') await deps.autoPause(webhook, { event_id, atMs });
  const { trigger } = fact.data;
  const line = { ...ids, trigger, outcome, status_code, error, duration_ms, next_attempt_at, trace_id: span?.traceId };
  // What goes on, well or not, is one line among thousands.
  if (outcome === 'failed') log.info(line, 'attempted');
  else log.debug(line, 'attempted');
  const verdict: Verdict = next_attempt_at === null ? 'done' : { due_ms: Date.parse(next_attempt_at), position };
  return { position, verdict };
}

/** The attempts that this process has under way or has appended so lately that the read models may not show them yet. */
function createUnderWay() {
  const keys = new Set<string>();
  const positions = new Map<string, number>();
  return {
    has: (key: string): boolean => keys.has(key),
    /** Where the last attempt lies in the log, unless it lies at or before `processed`: those are forgotten. */
    lastPosition(key: string, processed: number): number {
      for (const [oldest, position] of positions) {
        if (position > processed) break;
        positions.delete(oldest);
      }
      return positions.get(key) ?? -1;
    },
    async during(key: string, work: () => Promise<{ position: number; verdict: Verdict }>): Promise<Verdict> {
      keys.add(key);
      try {
        const { position, verdict } = await work();
        positions.delete(key);
        positions.set(key, position);
        return verdict;
      } finally {
        keys.delete(key);
      }
    },
  };
}
