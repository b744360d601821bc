import {
  type Attempt,
  type Delivery,
  type DeliveryChange,
  type DeliveryStatus,
  evolveDelivery,
  openDelivery,
  openLate,
} from './delivery.ts';
import { isFor, meets, type PublishedEvent } from './event.ts';
import { type Fact, type RecordedFact, stream } from './facts.ts';
import { type EventsRecovered, recoveredIn } from './recovery.ts';
import type { Redelivery, RedeliveryFact } from './redelivery.ts';
import { evolveWebhook, type LiveWebhook, NO_WEBHOOK, type Webhook } from './webhook.ts';

/** One entry of the notification log: what happened to an event on its way to one webhook. */
export interface NotificationLogEntry {
  readonly webhook_id: number;
  readonly webhook_url: string;
  readonly status: DeliveryStatus;
  readonly next_attempt_at: string | null;
  readonly attempts: readonly (Attempt & { readonly attempt: number })[];
  /** Who asked for it to be delivered again; absent where nobody did. */
  readonly redeliveries?: readonly Redelivery[];
}

/** A delivery as the API shows it. */
export function logEntry({
  webhook_id,
  webhook_url,
  status,
  next_attempt_at,
  attempts,
  redeliveries,
}: Delivery): NotificationLogEntry {
  const numbered = attempts.map((attempt, index) => ({ attempt: index + 1, ...attempt }));
  const entry = { webhook_id, webhook_url, status, next_attempt_at, attempts: numbered };
  return redeliveries ? { ...entry, redeliveries } : entry;
}

/** An entry, folded from the publication, the webhook as it was when the delivery was opened, and what changed that since. */
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
    event: undefined,
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
  /** Once it is published. */
  event: PublishedEvent | undefined;
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
    case 'RedeliveryRequested':
      if (fact.data.event_id === eventId) redeliver(log, fact, fact.data.webhook_id);
      return;
    case 'EventsRecovered':
      if (recoveredIn(fact).includes(eventId)) redeliver(log, fact, fact.data.webhook_id);
      return;
    case 'ChannelCreated':
    case 'ChannelUpdated':
    case 'PublisherKeyRotated':
    case 'GuidReserved':
    case 'GuidReleased':
    case 'RequestAccepted':
    case 'RecoveryRequested':
    case 'RecoveryFinished':
    case 'TreeHeadSigned':
    case 'ErasureRequested':
    case 'EventsErased':
    case 'StreamsErased':
    case 'ErasureFinished':
    case 'FactsErased':
    case 'EventsExpired':
    case 'StreamsTruncated':
      return;
  }
}

/** A publication that the log has twice counts once. */
function openDeliveries(log: LogFold, event: PublishedEvent): void {
  if (log.event) return;
  log.event = event;
  for (const webhook of log.webhooks.values()) {
    const live = liveIn(log, webhook, event);
    if (live && meets(event, live)) log.deliveries.set(live.id, openDelivery(event, live));
  }
}

function liveIn(log: LogFold, webhook: Webhook, { channel_id }: PublishedEvent): LiveWebhook | undefined {
  if (webhook.status !== 'live' || webhook.channel_id !== channel_id) return undefined;
  return log.endedChannels.has(stream.channel(channel_id)) ? undefined : webhook;
}

/** To whom it was on its way before, as far as they are still there, or to the one webhook that is named, whether or not it was. */
function redeliver(log: LogFold, fact: RedeliveryFact | EventsRecovered, webhook_id: number | undefined): void {
  const { event, deliveries } = log;
  if (!event) return;
  for (const id of webhook_id === undefined ? [...deliveries.keys()] : [webhook_id]) {
    const webhook = liveIn(log, log.webhooks.get(stream.webhook(id)) ?? NO_WEBHOOK, event);
    if (!webhook || !isFor(event, webhook)) continue;
    deliveries.set(id, evolveDelivery(deliveries.get(id) ?? openLate(event, webhook), fact));
  }
}

function changeDelivery(deliveries: Map<number, Delivery>, id: number, change: (delivery: Delivery) => Delivery): void {
  const delivery = deliveries.get(id);
  if (delivery) deliveries.set(id, change(delivery));
}
