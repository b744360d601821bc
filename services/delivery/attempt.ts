import { createSecretKey, type KeyObject, randomUUID } from 'node:crypto';
import type { Answer, Delivery, RetryPolicy } from '../../domain/delivery.ts';
import { decideAttempt } from '../../domain/delivery.ts';
import { FACT_VERSION, type NewFact, stream } from '../../domain/facts.ts';
import { timeOrdered } from '../../domain/ids.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Outbound } from '../../infra/outbound/post.ts';
import { signatureHeaders } from '../../infra/outbound/signature.ts';
import { USER_AGENT } from '../../infra/product.ts';
import type { WebhookView } from '../../projections/webhooks.ts';

/** One POST of an event to a webhook: the body as published, signed with the webhook's present secrets. */
export function createPoster({ outbound, keys }: { outbound: Outbound; keys: Keys }) {
  const secretsAt = createSecrets(keys);
  return (delivery: Delivery, webhook: WebhookView, body: Uint8Array, atMs: number): Promise<Answer> => {
    const id = `msg_${delivery.event_id}_${delivery.webhook_id}`;
    const headers = {
      'content-type': 'application/json',
      'user-agent': USER_AGENT,
      ...signatureHeaders(id, atMs, body, secretsAt(webhook, atMs)),
    };
    return outbound.post(webhook.fields.webhook_url, headers, body);
  };
}

/** Signing secrets that are kept. */
const KEPT = 10_000;

/** The secrets that sign for a webhook at a time, derived once for many attempts. */
function createSecrets(keys: Keys) {
  const kept = new Map<string, KeyObject>();

  function secret(webhookId: number, version: number): KeyObject {
    const name = `${webhookId}.${version}`;
    const known = kept.get(name);
    if (known) return known;
    const derived = createSecretKey(keys.signingSecret(webhookId, version));
    if (kept.size >= KEPT) kept.clear();
    kept.set(name, derived);
    return derived;
  }

  return ({ id, secret_version, previous_secret_until }: WebhookView, atMs: number): KeyObject[] => {
    const secrets = [secret(id, secret_version)];
    if (previous_secret_until !== null && atMs < Date.parse(previous_secret_until)) {
      secrets.push(secret(id, secret_version - 1));
    }
    return secrets;
  };
}

/** The fact of an attempt, ready to be appended. Its id is its own: a repeated append is recognised, another attempt is not. */
export function attemptFact(
  policy: RetryPolicy,
  delivery: Delivery,
  webhook: WebhookView,
  attempt: { atMs: number; answer: Answer },
): NewFact & { type: 'DeliveryAttempted' } {
  const { revision, fields } = webhook;
  const fact = decideAttempt(delivery, policy, { webhook_url: fields.webhook_url, revision }, attempt);
  const $correlationId = String(delivery.event_id);
  return {
    ...fact,
    id: timeOrdered(randomUUID(), attempt.atMs),
    metadata: { $correlationId, $causationId: $correlationId, version: FACT_VERSION, by: 'system' },
  };
}

/** The stream that a delivery's attempts go to. */
export function attemptStream(delivery: Delivery): string {
  return stream.deliveries(delivery.channel_id);
}
