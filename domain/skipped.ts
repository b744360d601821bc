import type { EventFact, PublishedEvent } from './event.ts';
import { isAskedFor } from './event-names.ts';
import { type RecordedFact, stream } from './facts.ts';
import { evolveWebhook, type LiveWebhook, NO_WEBHOOK, type Webhook, type WebhookFact } from './webhook.ts';

/** Why a webhook was not sent an event, by what it was at the event's place in the log. */
const REASON = { none: 'created_later', live: 'event_names', deleted: 'deleted_before' } as const;
export type SkipReason = (typeof REASON)[keyof typeof REASON];

/** What the notification log says, where it is asked to, of a webhook of the channel that was not sent the event. */
export interface SkippedEntry {
  readonly webhook_id: number;
  /** As it was at the event's place in the log; of one that was created later, as it was created. */
  readonly webhook_url: string;
  readonly status: 'skipped';
  readonly reason: SkipReason;
  readonly next_attempt_at: null;
  readonly attempts: readonly never[];
}

type Placed<F> = F & Pick<RecordedFact, 'position'>;

/**
 * The entry of a webhook that was not sent an event of its channel; undefined where it was.
 * @param facts of the webhook, in log order
 */
export function skippedEntry(
  facts: readonly Placed<WebhookFact>[],
  { data: event, position }: Placed<EventFact>,
): SkippedEntry | undefined {
  const [created] = facts;
  // A ping is for one webhook, and keeps nothing from the others; nor does what is for another kind of webhooks.
  if (created?.type !== 'WebhookCreated' || event.webhook_id !== undefined) return undefined;
  if (event.kind !== created.data.fields.kind) return undefined;
  const before = facts.filter((fact) => fact.position < position);
  const then = fold(before);
  if (then.status === 'live' && isAskedFor(then.fields.event_names, event.event_name)) return undefined;
  const settings = fold((before.length > 0 ? before : [created]).filter(({ type }) => type !== 'WebhookDeleted'));
  const { id: webhook_id, fields } = settings as LiveWebhook;
  return {
    ...{ webhook_id, webhook_url: fields.webhook_url, status: 'skipped', reason: REASON[then.status] },
    ...{ next_attempt_at: null, attempts: [] },
  };
}

const fold = (facts: readonly WebhookFact[]) => facts.reduce<Webhook>(evolveWebhook, NO_WEBHOOK);

/** The entries of all webhooks that were not sent an event, ids ascending, from nothing but facts in log order: those of its channel's webhooks, and its publication. */
export function foldSkipped(facts: readonly RecordedFact[], eventId: number): SkippedEntry[] {
  const published = facts.find(({ type, data }) => type === 'EventPublished' && data.id === eventId);
  if (published === undefined) return [];
  const { channel_id } = published.data as PublishedEvent;
  const created = facts.filter(({ type, data }) => type === 'WebhookCreated' && data.channel_id === channel_id);
  const byStream = Map.groupBy(facts, (fact) => fact.stream);
  const ofWebhook = ({ data }: RecordedFact) => byStream.get(stream.webhook((data as { id: number }).id)) ?? [];
  return created
    .flatMap((fact) => {
      const own = ofWebhook(fact) as RecordedFact<WebhookFact>[];
      return skippedEntry(own, published as RecordedFact<EventFact>) ?? [];
    })
    .sort((a, b) => a.webhook_id - b.webhook_id);
}
