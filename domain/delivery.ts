import type { ChannelFact } from './channel.ts';
import type { PublishedEvent } from './event.ts';
import type { Facts } from './fact.ts';
import type { EventsRecovered } from './recovery.ts';
import type { Redelivery, RedeliveryFact } from './redelivery.ts';
import type { WebhookFact } from './webhook.ts';

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
  readonly next_attempt_at: string | null;
  readonly attempts: readonly Attempt[];
  /** The request that it be delivered again now, until that attempt has been made. */
  readonly redelivery_id?: number;
  /** All such requests; absent where there was none. */
  readonly redeliveries?: readonly Redelivery[];
  /** Whether it was opened by such a request: the webhook was not one of those that the publication met. */
  readonly opened_late?: true;
}

export function openDelivery(event: PublishedEvent, webhook: { id: number; webhook_url: string }): Delivery {
  return {
    event_id: event.id,
    webhook_id: webhook.id,
    channel_id: event.channel_id,
    webhook_url: webhook.webhook_url,
    status: 'pending',
    window_from: event.published_at,
    next_attempt_at: event.published_at,
    attempts: [],
  };
}

/** A delivery to a webhook that the publication did not meet: it begins with the request that is yet to be applied to it. */
export function openLate(event: PublishedEvent, webhook: { id: number; webhook_url: string }): Delivery {
  return { ...openDelivery(event, webhook), opened_late: true };
}

/** The facts that change a delivery once it is open. */
export type DeliveryChange =
  | DeliveryFact
  | RedeliveryFact
  | EventsRecovered
  | Extract<WebhookFact, { type: 'WebhookDeleted' }>
  | Extract<ChannelFact, { type: 'ChannelDeleted' }>;

export function evolveDelivery(delivery: Delivery, fact: DeliveryChange): Delivery {
  switch (fact.type) {
    case 'DeliveryAttempted':
      return withAttempt(delivery, fact.data);
    case 'RedeliveryRequested':
      return withRedelivery(delivery, fact.data);
    case 'EventsRecovered':
      return withRedelivery(delivery, { ...fact.data, recovery: true });
    case 'WebhookDeleted':
    case 'ChannelDeleted':
      return delivery.status === 'pending' ? { ...delivery, status: 'cancelled', next_attempt_at: null } : delivery;
  }
}

function withAttempt(delivery: Delivery, attempted: AttemptedDelivery): Delivery {
  const { event_id, webhook_id, webhook_url, outcome, next_attempt_at, ...attempt } = attempted;
  const attempts = [...delivery.attempts, attempt];
  // An attempt that was under way when its webhook was deleted, or another one succeeded, joins the log, but brings nothing back to life.
  if (delivery.status === 'cancelled' || delivery.status === 'delivered') return { ...delivery, webhook_url, attempts };
  const { redelivery_id: wanted, ...rest } = delivery;
  // One that was under way when it was asked for another leaves that one to be made.
  if (wanted !== undefined && wanted !== attempt.redelivery_id) return { ...delivery, webhook_url, attempts };
  const status = outcome === 'retrying' ? 'pending' : outcome;
  return { ...rest, webhook_url, status, next_attempt_at, attempts };
}

/** Due at once and with a window of its own, whatever has become of it, unless that ended with its webhook. A request that the log has twice counts once. */
function withRedelivery(delivery: Delivery, requested: Redelivery): Delivery {
  const { redeliveries = [] } = delivery;
  const { id, requested_at, by, reason, recovery } = requested;
  if (delivery.status === 'cancelled' || redeliveries.some((before) => before.id === id)) return delivery;
  return {
    ...delivery,
    ...{ status: 'pending', window_from: requested_at, next_attempt_at: requested_at, redelivery_id: id },
    redeliveries: [
      ...redeliveries,
      { id, requested_at, by, ...(reason !== undefined && { reason }), ...(recovery && { recovery }) },
    ],
  };
}

export interface RetryPolicy {
  readonly retryIntervalMs: number;
  readonly retryWindowMs: number;
  readonly successStatus: '200' | '2xx';
}

/** What an attempt on a pending delivery makes happen. */
export function decideAttempt(
  delivery: Delivery,
  policy: RetryPolicy,
  webhook: { readonly webhook_url: string; readonly revision: number },
  attempt: { readonly atMs: number; readonly answer: Answer },
): DeliveryFact {
  const succeeded = isSuccess(policy, attempt.answer.status_code);
  const nextMs = succeeded ? undefined : nextAttemptMs(policy, Date.parse(delivery.window_from), attempt.atMs);
  return {
    type: 'DeliveryAttempted',
    data: {
      event_id: delivery.event_id,
      webhook_id: delivery.webhook_id,
      webhook_url: webhook.webhook_url,
      webhook_revision: webhook.revision,
      at: new Date(attempt.atMs).toISOString(),
      ...attempt.answer,
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

export function isSuccess({ successStatus }: Pick<RetryPolicy, 'successStatus'>, status: number | null): boolean {
  return status === 200 || (successStatus === '2xx' && status !== null && status > 200 && status < 300);
}

/**
 * When to try again after an attempt that began at `atMs`, in ms since the epoch; undefined once the window has closed. Half an interval of slack
 * lets small delays add up without costing the last retry: 24 hours of hourly retries are 24 retries.
 */
export function nextAttemptMs(
  { retryIntervalMs, retryWindowMs }: Pick<RetryPolicy, 'retryIntervalMs' | 'retryWindowMs'>,
  windowFromMs: number,
  atMs: number,
): number | undefined {
  const nextMs = atMs + retryIntervalMs;
  return nextMs <= windowFromMs + retryWindowMs + retryIntervalMs / 2 ? nextMs : undefined;
}
