import type { AttemptedDelivery, Delivery } from '../../domain/delivery.ts';
import type { Tracing } from '../../infra/tracing/tracing.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import type { WebhookView } from '../../projections/webhooks.ts';

export interface AttemptSpan {
  readonly traceparent: string;
  readonly traceId: string;
  end(attempted: AttemptedDelivery): void;
}

/** Begins the span of an attempt, in the trace of the request that published the event, where there are traces. Of the URL only whose it is: what is behind that may be secret. */
export function createAttemptSpans(tracing: Tracing | undefined, { events }: Pick<ReadModels, 'events'>) {
  return (delivery: Delivery, webhook: WebhookView): AttemptSpan | undefined => {
    if (!tracing) return undefined;
    const { event_id, webhook_id, channel_id, attempts } = delivery;
    const ids = { 'webhooks.event_id': event_id, 'webhooks.webhook_id': webhook_id, 'webhooks.channel_id': channel_id };
    const span = tracing.begin('POST webhook', 'client', events.traceparent(event_id), {
      ...ids,
      'webhooks.attempt': attempts.length + 1,
      'http.request.method': 'POST',
      'server.address': new URL(webhook.fields.webhook_url).hostname,
    });
    return {
      ...span,
      end({ outcome, trigger, status_code, error }) {
        const attributes = {
          ...{ 'webhooks.outcome': outcome, 'webhooks.trigger': trigger },
          ...(status_code !== null && { 'http.response.status_code': status_code }),
          ...(error !== null && { 'error.type': error }),
        };
        span.end(attributes, outcome === 'delivered' ? undefined : (error ?? `answered ${status_code}`));
      },
    };
  };
}
