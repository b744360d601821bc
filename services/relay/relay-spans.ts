import type { RecordedFact } from '../../domain/facts.ts';
import type { OpenSpan, Tracing } from '../../infra/tracing/tracing.ts';

export type RelaySpans = ReturnType<typeof createRelaySpans>;

/** Spans of publications on their way to the queue, until the broker has them. */
export function createRelaySpans(tracing: Tracing | undefined) {
  let open: OpenSpan[] = [];

  function endAll(failed?: string) {
    for (const span of open) span.end({}, failed);
    open = [];
  }

  return {
    begin(fact: RecordedFact): void {
      const { traceparent } = fact.metadata;
      if (!tracing || traceparent === undefined || fact.type !== 'EventPublished') return;
      const { id, channel_id } = fact.data;
      const attributes = { 'webhooks.event_id': id, 'webhooks.channel_id': channel_id };
      open.push(tracing.begin('queue deliveries', 'producer', traceparent, attributes));
    },
    queued: () => endAll(),
    failed: (error: unknown) => endAll((error as Error).name),
  };
}
