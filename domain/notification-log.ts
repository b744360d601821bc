import {
  type Attempt,
  type Delivery,
  type DeliveryChange,
  type DeliveryStatus,
  evolveDelivery,
  openDelivery,
} from './delivery.ts';
import type { PublishedEvent } from './event.ts';
import { isAskedFor } from './event-names.ts';
import { type Fact, type RecordedFact, stream } from './facts.ts';
import { evolveWebhook, type LiveWebhook, NO_WEBHOOK, type Webhook } from './webhook.ts';

/** One entry of the notification log: what happened to an event on its way to one webhook. */
export interface NotificationLogEntry {
  readonly webhook_id: number;
  readonly webhook_url: string;
  readonly status: DeliveryStatus;
  readonly next_attempt_at: string | null;
  readonly attempts: readonly (Attempt & { readonly attempt: number })[];
}

/** A delivery as the API shows it. */
export function logEntry({
  webhook_id,
  webhook_url,
  status,
  next_attempt_at,
  attempts,
}: Delivery): NotificationLogEntry {
  const numbered = attempts.map((attempt, index) => ({ attempt: index + 1, ...attempt }));
  return { webhook_id, webhook_url, status, next_attempt_at, attempts: numbered };
}

/** An entry, folded from the publication, the webhook as it was then, and what changed the delivery since. */
export function foldEntry(
  event: PublishedEvent,
  webhook: LiveWebhook,
  changes: readonly DeliveryChange[],
): NotificationLogEntry {
  return logEntry(changes.reduce(evolveDelivery, openDelivery(event, webhook)));
}

/**
 * The notification log of an event, folded from nothing but facts in log order. Needed are those of its channel, of the
 * channel's webhooks, of its publication and of its deliveries; others are passed over.
 */
export function foldNotificationLog(facts: readonly FoldableFact[], eventId: number): NotificationLogEntry[] {
  const log: LogFold = {
    eventId,
    webhooks: new Map(),
    endedChannels: new Set(),
    deliveries: new Map(),
    isPublished: false,
  };
  for (const fact of facts) applyToLog(log, fact);
  return [...log.deliveries.values()].sort((a, b) => a.webhook_id - b.webhook_id).map(logEntry);
}

type FoldableFact = Fact & Pick<RecordedFact, 'stream' | 'revision'>;

interface LogFold {
  readonly eventId: number;
  /** By stream. */
  readonly webhooks: Map<string, Webhook>;
  /** Streams of the channels that are deleted: what reaches the log behind that is void. */
  readonly endedChannels: Set<string>;
  /** By webhook id. */
  readonly deliveries: Map<number, Delivery>;
  isPublished: boolean;
}

function applyToLog(log: LogFold, fact: FoldableFact): void {
  const { webhooks, deliveries, eventId } = log;
  switch (fact.type) {
    case 'WebhookCreated':
    case 'WebhookUpdated':
    case 'SubscriberKeyRotated':
    case 'SigningSecretRotated':
      webhooks.set(fact.stream, evolveWebhook(webhooks.get(fact.stream) ?? NO_WEBHOOK, fact));
      return;
    case 'WebhookPaused':
    case 'WebhookResumed':
    case 'WebhookDeleted': {
      const webhook = webhooks.get(fact.stream) ?? NO_WEBHOOK;
      webhooks.set(fact.stream, evolveWebhook(webhook, fact));
      if (webhook.status === 'live')
        changeDelivery(deliveries, webhook.id, (delivery) => evolveDelivery(delivery, fact));
      return;
    }
    case 'ChannelDeleted':
      log.endedChannels.add(fact.stream);
      for (const { webhook_id, channel_id } of deliveries.values()) {
        if (fact.stream !== stream.channel(channel_id)) continue;
        changeDelivery(deliveries, webhook_id, (delivery) => evolveDelivery(delivery, fact));
      }
      return;
    case 'EventPublished':
      if (fact.data.id === eventId) openDeliveries(log, fact.data);
      return;
    case 'DeliveryAttempted':
      if (fact.data.event_id !== eventId) return;
      changeDelivery(deliveries, fact.data.webhook_id, (delivery) => evolveDelivery(delivery, fact));
      return;
    case 'ChannelCreated':
    case 'ChannelUpdated':
    case 'PublisherKeyRotated':
    case 'GuidReserved':
    case 'GuidReleased':
    case 'RequestAccepted':
    case 'TreeHeadSigned':
      return;
  }
}

/** A publication that the log has twice counts once. */
function openDeliveries(log: LogFold, event: PublishedEvent): void {
  if (log.isPublished) return;
  log.isPublished = true;
  if (log.endedChannels.has(stream.channel(event.channel_id))) return;
  for (const webhook of log.webhooks.values()) {
    if (webhook.status !== 'live' || webhook.channel_id !== event.channel_id) continue;
    if (!isAskedFor(webhook.fields.event_names, event.event_name)) continue;
    log.deliveries.set(webhook.id, openDelivery(event, webhook));
  }
}

function changeDelivery(deliveries: Map<number, Delivery>, id: number, change: (delivery: Delivery) => Delivery): void {
  const delivery = deliveries.get(id);
  if (delivery) deliveries.set(id, change(delivery));
}
