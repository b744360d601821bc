import type { ChannelFact } from './channel.ts';
import type { PublishedEvent } from './event.ts';
import type { Facts } from './fact.ts';
import type { RecordedFact } from './facts.ts';
import type { EventsRecovered } from './recovery.ts';
import type { Redelivery, RedeliveryFact } from './redelivery.ts';
import { retryAfterMs } from './retry-after.ts';
import { isSuccess, nextAttemptMs, type RetryPolicy } from './retry-rule.ts';
import type { LiveWebhook, WebhookFact } from './webhook.ts';

export type Trigger = 'publish' | 'retry' | 'redeliver';

/** What went wrong where there was no status code. */
export type AttemptError =
  | 'timeout'
  | 'connection_refused'
  | 'connection_reset'
  | 'dns'
  | 'tls'
  | 'protocol'
  | 'blocked_address';

/** What came of one POST. */
export interface Answer {
  readonly status_code: number | null;
  readonly error: AttemptError | null;
  readonly duration_ms: number;
  /** First 1,024 bytes of the answer's body, as text. */
  readonly response_body: string;
}

/** An answer as it came, with what the log does not keep of it. */
export interface Reply extends Answer {
  /** The header of that name, where there was one. */
  readonly retry_after?: string;
}

export interface Attempt extends Answer {
  /** When the POST began: ISO 8601, UTC. */
  readonly at: string;
  readonly trigger: Trigger;
  /** Revision of the webhook's stream whose settings the attempt used. */
  readonly webhook_revision: number;
  /** The request that it was made for; absent where it was made for the publication, or is a retry. */
  readonly redelivery_id?: number;
}

export type Outcome = 'delivered' | 'retrying' | 'failed';

export interface AttemptedDelivery extends Attempt {
  readonly event_id: number;
  readonly webhook_id: number;
  readonly webhook_url: string;
  readonly outcome: Outcome;
  readonly next_attempt_at: string | null;
}

export type DeliveryFact = Facts<{ DeliveryAttempted: AttemptedDelivery }>;

export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'cancelled';

/** One event on its way to one webhook. */
export interface Delivery {
  readonly event_id: number;
  readonly webhook_id: number;
  readonly channel_id: number;
  /** Where the last attempt went; before the first, where it is to go. */
  readonly webhook_url: string;
  readonly status: DeliveryStatus;
  /** Start of the window in which it is retried: ISO 8601, UTC. */
  readonly window_from: string;
  /** Null where there is none to come, and while its webhook is paused. */
  readonly next_attempt_at: string | null;
  readonly attempts: readonly Attempt[];
  /** Revision of the webhook's stream that resumed it, until an attempt was made with settings of since then. */
  readonly resumed_in?: number;
  /** How many attempts were made before the window began; absent: none. */
  readonly attempts_before?: number;
  /** The request that it be delivered again now, until that attempt has been made. */
  readonly redelivery_id?: number;
  /** All such requests; absent where there was none. */
  readonly redeliveries?: readonly Redelivery[];
  /** Whether it was opened by such a request: the webhook was not one of those that the publication met. */
  readonly opened_late?: true;
}

/** @param webhook as it was at the event's place in the log */
export function openDelivery(event: PublishedEvent, webhook: Pick<LiveWebhook, 'id' | 'fields' | 'pause'>): Delivery {
  return {
    event_id: event.id,
    webhook_id: webhook.id,
    channel_id: event.channel_id,
    webhook_url: webhook.fields.webhook_url,
    status: 'pending',
    window_from: event.published_at,
    next_attempt_at: webhook.pause === null ? event.published_at : null,
    attempts: [],
  };
}

/** A delivery to a webhook that the publication did not meet: it begins with the request that is yet to be applied to it. */
export function openLate(event: PublishedEvent, webhook: Pick<LiveWebhook, 'id' | 'fields' | 'pause'>): Delivery {
  return { ...openDelivery(event, webhook), opened_late: true };
}

type Resumed = Extract<WebhookFact, { type: 'WebhookResumed' }> & Pick<RecordedFact, 'revision'>;

/** The facts that change a delivery once it is open. */
export type DeliveryChange =
  | DeliveryFact
  | RedeliveryFact
  | EventsRecovered
  | Extract<WebhookFact, { type: 'WebhookDeleted' | 'WebhookPaused' }>
  | Resumed
  | Extract<ChannelFact, { type: 'ChannelDeleted' }>;

export function evolveDelivery(delivery: Delivery, fact: DeliveryChange): Delivery {
  switch (fact.type) {
    case 'DeliveryAttempted':
      return withAttempt(delivery, fact.data);
    case 'RedeliveryRequested':
      return withRedelivery(delivery, fact.data);
    case 'EventsRecovered':
      return withRedelivery(delivery, { ...fact.data, recovery: true });
    case 'WebhookPaused':
      return delivery.status === 'pending' ? paused(delivery) : delivery;
    case 'WebhookResumed':
      return delivery.status === 'pending' ? resumed(delivery, fact) : delivery;
    case 'WebhookDeleted':
    case 'ChannelDeleted':
      return delivery.status === 'pending' ? { ...delivery, status: 'cancelled', next_attempt_at: null } : delivery;
  }
}

/** Whether it waits until its webhook is resumed. */
export function isPaused({ status, next_attempt_at }: Delivery): boolean {
  return status === 'pending' && next_attempt_at === null;
}

function paused({ resumed_in: _, ...delivery }: Delivery): Delivery {
  return { ...delivery, next_attempt_at: null };
}

/** Due now, with a whole new window. */
function resumed(delivery: Delivery, { data: { at }, revision }: Resumed): Delivery {
  const window_from = at > delivery.window_from ? at : delivery.window_from;
  const attempts_before = delivery.attempts.length;
  return { ...delivery, window_from, next_attempt_at: window_from, resumed_in: revision, attempts_before };
}

function withAttempt(delivery: Delivery, attempted: AttemptedDelivery): Delivery {
  const { event_id, webhook_id, webhook_url, outcome, next_attempt_at, ...attempt } = attempted;
  const joined = { ...delivery, webhook_url, attempts: [...delivery.attempts, attempt] };
  // An attempt that was under way when its webhook was deleted, or another one succeeded, joins the log, but brings nothing back to life.
  if (delivery.status === 'cancelled' || delivery.status === 'delivered') return joined;
  // One that was when its webhook was paused decides of what is to come only where it succeeded.
  if (outcome !== 'delivered' && isPaused(delivery)) return joined;
  if (outcome !== 'delivered' && attempt.webhook_revision < (delivery.resumed_in ?? 0)) {
    return { ...joined, attempts_before: joined.attempts.length };
  }
  // One that was under way when it was asked for another leaves that one to be made.
  if (joined.redelivery_id !== undefined && joined.redelivery_id !== attempt.redelivery_id) {
    return { ...joined, attempts_before: joined.attempts.length };
  }
  const { resumed_in: _, redelivery_id: __, ...rest } = joined;
  return { ...rest, status: outcome === 'retrying' ? 'pending' : outcome, next_attempt_at };
}

/** Due at once and with a window of its own, whatever has become of it, unless that ended with its webhook. A request that the log has twice counts once. */
function withRedelivery(delivery: Delivery, requested: Redelivery): Delivery {
  const { redeliveries = [] } = delivery;
  const { id, requested_at, by, reason, recovery } = requested;
  if (delivery.status === 'cancelled' || redeliveries.some((before) => before.id === id)) return delivery;
  return {
    ...delivery,
    ...{ status: 'pending', window_from: requested_at, redelivery_id: id, attempts_before: delivery.attempts.length },
    next_attempt_at: isPaused(delivery) ? null : requested_at,
    redeliveries: [
      ...redeliveries,
      { id, requested_at, by, ...(reason !== undefined && { reason }), ...(recovery && { recovery }) },
    ],
  };
}

/** What an attempt on a pending delivery makes happen. */
export function decideAttempt(
  delivery: Delivery,
  policy: RetryPolicy,
  webhook: { readonly webhook_url: string; readonly revision: number },
  attempt: { readonly atMs: number; readonly answer: Reply },
): DeliveryFact {
  const { retry_after, ...answer } = attempt.answer;
  const succeeded = isSuccess(policy, answer.status_code);
  const nextMs = succeeded
    ? undefined
    : nextAttemptMs(policy, {
        windowFromMs: Date.parse(delivery.window_from),
        atMs: attempt.atMs,
        nth: delivery.attempts.length - (delivery.attempts_before ?? 0) + 1,
        askedMs: retry_after === undefined ? undefined : retryAfterMs(retry_after, attempt.atMs + answer.duration_ms),
      });
  return {
    type: 'DeliveryAttempted',
    data: {
      event_id: delivery.event_id,
      webhook_id: delivery.webhook_id,
      webhook_url: webhook.webhook_url,
      webhook_revision: webhook.revision,
      at: new Date(attempt.atMs).toISOString(),
      ...answer,
      trigger: triggerOf(delivery),
      ...(delivery.redelivery_id !== undefined && { redelivery_id: delivery.redelivery_id }),
      outcome: succeeded ? 'delivered' : nextMs === undefined ? 'failed' : 'retrying',
      next_attempt_at: nextMs === undefined ? null : new Date(nextMs).toISOString(),
    },
  };
}

function triggerOf({ redelivery_id, attempts }: Delivery): Trigger {
  if (redelivery_id !== undefined) return 'redeliver';
  return attempts.length === 0 ? 'publish' : 'retry';
}
