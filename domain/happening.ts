import type { AttemptedDelivery, Delivery } from './delivery.ts';
import { type EventFact, type PublishedEvent, publish } from './event.ts';
import type { LiveWebhook, WebhookFact } from './webhook.ts';

/** What the operational webhooks of a channel are told of the others. */
export interface Happening {
  readonly event_name: 'webhook.failing' | 'webhook.auto_paused' | 'delivery.failed';
  readonly data: Readonly<Record<string, unknown>>;
}

/** For how long after it was told that a webhook has begun to fail that is not told again, in ms: one may fail and succeed in turns. */
export const FAILING_TOLD_MS = 3_600_000;

type Paused = Extract<WebhookFact, { type: 'WebhookPaused' }>;

/** An attempt has failed, and the one before had not. */
export function beganToFail(webhook: LiveWebhook, attempt: AttemptedDelivery): Happening {
  const { at: failing_since, event_id } = attempt;
  return {
    event_name: 'webhook.failing',
    data: { ...named(webhook), failing_since, event_id, ...whatCame(attempt) },
  };
}

/** It was paused because it had failed for too long; undefined where it was paused for another reason. */
export function wasAutoPaused(webhook: LiveWebhook, { data }: Paused): Happening | undefined {
  if (data.reason !== 'failing') return undefined;
  return { event_name: 'webhook.auto_paused', data: { ...named(webhook), failing_since: data.failing_since } };
}

/** A delivery was given up. */
export function deliveryFailed(
  webhook: LiveWebhook,
  { attempts }: Delivery,
  { id: event_id, event_name, ext_ref_code }: PublishedEvent,
  attempt: AttemptedDelivery,
): Happening {
  const event = { event_id, event_name, ...(ext_ref_code !== undefined && { ext_ref_code }) };
  const last_attempt = { at: attempt.at, ...whatCame(attempt) };
  return {
    event_name: 'delivery.failed',
    data: { ...named(webhook), ...event, attempt_count: attempts.length, last_attempt },
  };
}

/** The event that tells of it: an event of its channel as any other, for operational webhooks alone. */
export function tell(id: number, channelId: number, happening: Happening, atMs: number): EventFact {
  const { type, data } = publish(id, channelId, happening, atMs);
  return { type, data: { ...data, kind: 'operational' } };
}

function named({ id, fields: { name, webhook_url } }: LiveWebhook) {
  return { webhook_id: id, ...(name !== undefined && { name }), webhook_url };
}

/** Without the answer's body: that is for the notification log. */
function whatCame({ status_code, error, duration_ms }: AttemptedDelivery) {
  return { status_code, error, duration_ms };
}
