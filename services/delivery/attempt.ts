import { randomUUID } from 'node:crypto';
import type { Delivery, Reply } from '../../domain/delivery.ts';
import { decideAttempt } from '../../domain/delivery.ts';
import { FACT_VERSION, type NewFact, stream } from '../../domain/facts.ts';
import { timeOrdered } from '../../domain/ids.ts';
import type { RetryPolicy } from '../../domain/retry-rule.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Outbound } from '../../infra/outbound/post.ts';
import { signatureHeaders } from '../../infra/outbound/signature.ts';
import { USER_AGENT } from '../../infra/product.ts';
import type { WebhookView } from '../../projections/webhooks.ts';
import { createCredentials } from './credentials.ts';
import { withoutEchoes } from './echoes.ts';

/** One POST of an event to a webhook: the body as published, with the webhook's own headers, signed with its present secrets. */
export function createPoster({ outbound, keys }: { outbound: Outbound; keys: Keys }) {
  const credentialsOf = createCredentials(keys);
  /** @param traceparent of the attempt's span, where there are traces */
  return (
    delivery: Delivery,
    webhook: WebhookView,
    body: Uint8Array,
    atMs: number,
    traceparent?: string,
  ): Promise<Reply> => {
    const id = `msg_${delivery.event_id}_${delivery.webhook_id}`;
    const { headers: own, signersAt } = credentialsOf(webhook);
    const headers = {
      'user-agent': USER_AGENT,
      ...own,
      'content-type': 'application/json',
      ...(traceparent !== undefined && { traceparent }),
      ...signatureHeaders(id, atMs, body, signersAt(atMs)),
    };
    const answering = outbound.post(webhook.fields.webhook_url, headers, body);
    if (own === undefined) return answering;
    return answering.then((answer) => ({ ...answer, response_body: withoutEchoes(answer.response_body, own) }));
  };
}

/** The fact of an attempt, ready to be appended. Its id is its own: a repeated append is recognised, another attempt is not. */
export function attemptFact(
  policy: RetryPolicy,
  delivery: Delivery,
  webhook: WebhookView,
  attempt: { atMs: number; answer: Reply },
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
