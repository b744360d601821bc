import type { ChannelFact, ChannelFields } from '../../domain/channel.ts';
import type { Answer, AttemptedDelivery } from '../../domain/delivery.ts';
import type { ErasureFact } from '../../domain/erasure.ts';
import type { PublishedEvent } from '../../domain/event.ts';
import type { Fact, FactMetadata, NewFact, RecordedFact } from '../../domain/facts.ts';
import type { RecoveryFact } from '../../domain/recovery.ts';
import type { RedeliveryFact } from '../../domain/redelivery.ts';
import type { RetentionFact } from '../../domain/retention.ts';
import type { WebhookFact, WebhookFields } from '../../domain/webhook.ts';

/** The one place that spells full facts: a test names only the parts that it is about. */

export const CHANNEL_ID = 1_001;
export const WEBHOOK_ID = 2_001;
export const EVENT_ID = 3_001;
export const REDELIVERY_ID = 4_001;
export const RECOVERY_ID = 5_001;

export const HOUR_MS = 3_600_000;
export const AT_MS = Date.parse('2026-11-23T09:00:00.000Z');
export const iso = (ms: number): string => new Date(ms).toISOString();

type Of<F extends Fact, T extends F['type']> = Extract<F, { type: T }>;

/** Name of the master secret that samples are made with. */
export const MADE_WITH = '0123456789ab';

export function channelCreated({ id = CHANNEL_ID, ...fields }: Partial<ChannelFields> & { id?: number } = {}) {
  const data = { id, fields: { name: 'Orders', public: false, ...fields }, made_with: MADE_WITH };
  return { type: 'ChannelCreated', data } satisfies ChannelFact;
}

export function channelUpdated(changes: Of<ChannelFact, 'ChannelUpdated'>['data']['changes'] = { name: 'Renamed' }) {
  return { type: 'ChannelUpdated', data: { changes } } satisfies ChannelFact;
}

export function publisherKeyRotated(key_version = 2) {
  return { type: 'PublisherKeyRotated', data: { key_version, made_with: MADE_WITH } } satisfies ChannelFact;
}

export const CHANNEL_DELETED = { type: 'ChannelDeleted', data: {} } as const satisfies ChannelFact;

export function webhookCreated(
  {
    id = WEBHOOK_ID,
    channel_id = CHANNEL_ID,
    ...fields
  }: Partial<WebhookFields> & { id?: number; channel_id?: number } = {},
  made_with = MADE_WITH,
) {
  const data = { id, channel_id, fields: { webhook_url: `https://subscriber.example/${id}`, ...fields }, made_with };
  return { type: 'WebhookCreated', data } satisfies WebhookFact;
}

export function webhookUpdated(
  changes: Of<WebhookFact, 'WebhookUpdated'>['data']['changes'] = { webhook_url: 'https://subscriber.example/new' },
) {
  return { type: 'WebhookUpdated', data: { changes } } satisfies WebhookFact;
}

export function subscriberKeyRotated(key_version = 2) {
  return { type: 'SubscriberKeyRotated', data: { key_version, made_with: MADE_WITH } } satisfies WebhookFact;
}

export function signingSecretRotated(part: Partial<Of<WebhookFact, 'SigningSecretRotated'>['data']> = {}) {
  const data = { secret_version: 2, previous_until: iso(AT_MS + 24 * HOUR_MS), made_with: MADE_WITH, ...part };
  return { type: 'SigningSecretRotated', data } satisfies WebhookFact;
}

export const WEBHOOK_PAUSED = { type: 'WebhookPaused', data: { reason: 'requested' } } as const satisfies WebhookFact;

export function webhookResumed(atMs = AT_MS + HOUR_MS) {
  return { type: 'WebhookResumed', data: { at: iso(atMs) } } satisfies WebhookFact;
}

export const WEBHOOK_DELETED = { type: 'WebhookDeleted', data: {} } as const satisfies WebhookFact;

export function published(part: Partial<PublishedEvent> = {}) {
  const data: PublishedEvent = {
    id: EVENT_ID,
    channel_id: CHANNEL_ID,
    event_name: 'order.created',
    data: { total: 12 },
    published_at: iso(AT_MS),
    ...part,
  };
  return { type: 'EventPublished', data } satisfies Fact;
}

export function answer(part: Partial<Answer> = {}): Answer {
  return { status_code: 500, error: null, duration_ms: 12, response_body: 'no', ...part };
}

/** An attempt that failed and is to be made again in an hour, unless said otherwise. */
export function attempted(part: Partial<AttemptedDelivery> = {}) {
  const data: AttemptedDelivery = {
    event_id: EVENT_ID,
    webhook_id: WEBHOOK_ID,
    webhook_url: `https://subscriber.example/${part.webhook_id ?? WEBHOOK_ID}`,
    webhook_revision: 0,
    at: iso(AT_MS),
    ...answer(),
    trigger: 'publish',
    outcome: 'retrying',
    next_attempt_at: iso(AT_MS + HOUR_MS),
    ...part,
  };
  return { type: 'DeliveryAttempted', data } satisfies Fact;
}

/** Asked for by the publisher, an hour after the publication, for all webhooks, unless said otherwise. */
export function redeliveryRequested(part: Partial<RedeliveryFact['data']> = {}) {
  const data: RedeliveryFact['data'] = {
    id: REDELIVERY_ID,
    event_id: EVENT_ID,
    channel_id: CHANNEL_ID,
    requested_at: iso(AT_MS + HOUR_MS),
    by: 'publisher',
    ...part,
  };
  return { type: 'RedeliveryRequested', data } satisfies Fact;
}

const RECOVERY = { id: RECOVERY_ID, channel_id: CHANNEL_ID, webhook_id: WEBHOOK_ID };

/** Asked for by the publisher at AT_MS, for the hour before that, unless said otherwise. */
export function recoveryRequested(part: Partial<Of<RecoveryFact, 'RecoveryRequested'>['data']> = {}) {
  const time = { since: iso(AT_MS - HOUR_MS), until: iso(AT_MS), missing: false, requested_at: iso(AT_MS) };
  return {
    type: 'RecoveryRequested',
    data: { ...RECOVERY, ...time, by: 'publisher', ...part } as const,
  } satisfies RecoveryFact;
}

export function eventsRecovered(part: Partial<Of<RecoveryFact, 'EventsRecovered'>['data']> = {}) {
  const data = { ...RECOVERY, failed: [], missing: [], requested_at: iso(AT_MS), by: 'publisher', ...part } as const;
  return { type: 'EventsRecovered', data } satisfies RecoveryFact;
}

export function recoveryFinished({ failed = 0, missing = 0 } = {}) {
  const data = { ...RECOVERY, finished_at: iso(AT_MS), failed, missing };
  return { type: 'RecoveryFinished', data } satisfies RecoveryFact;
}

export function erasureRequested(part: Partial<Of<ErasureFact, 'ErasureRequested'>['data']> = {}) {
  const data = {
    channel_id: CHANNEL_ID,
    requested_at: iso(AT_MS + 2 * HOUR_MS),
    by: 'publisher',
    key_version: 1,
  } as const;
  return { type: 'ErasureRequested', data: { ...data, made_with: MADE_WITH, ...part } } satisfies ErasureFact;
}

export const NOTHING_ERASED = { events: 0, attempts: 0, webhooks: 0, facts: 0 };

export function eventsErased(below: number) {
  return { type: 'EventsErased', data: { channel_id: CHANNEL_ID, below } } satisfies ErasureFact;
}

export function streamsErased(part: Partial<Of<ErasureFact, 'StreamsErased'>['data']> = {}) {
  const data = { channel_id: CHANNEL_ID, streams: [], up_to: 0, erased: NOTHING_ERASED, ...part };
  return { type: 'StreamsErased', data } satisfies ErasureFact;
}

export function erasureFinished(erased = NOTHING_ERASED) {
  const data = { channel_id: CHANNEL_ID, finished_at: iso(AT_MS + 3 * HOUR_MS), erased };
  return { type: 'ErasureFinished', data } satisfies ErasureFact;
}

export function eventsExpired(below: number, kept: readonly number[] = [], from = 0) {
  return { type: 'EventsExpired', data: { from, below, kept } } satisfies RetentionFact;
}

export function streamsTruncated(part: Partial<Of<RetentionFact, 'StreamsTruncated'>['data']> = {}) {
  const data = { channel_id: CHANNEL_ID, streams: [], counted_until: null, failing: [], told: [], ...part };
  return { type: 'StreamsTruncated', data } satisfies RetentionFact;
}

/** What a success says differently. */
export const DELIVERED = {
  status_code: 200,
  response_body: 'ok',
  outcome: 'delivered',
  next_attempt_at: null,
} as const;

export function metadata(part: Partial<FactMetadata> = {}): FactMetadata {
  return { $correlationId: String(EVENT_ID), $causationId: String(EVENT_ID), version: 1, by: 'system', ...part };
}

/** A fact as it goes to the store; `n` tells its id apart. */
export function newFact<F extends Fact>(fact: F, n = 1): NewFact<F> {
  return { ...fact, id: uuid(n), metadata: metadata() };
}

export type Place = readonly [stream: string, fact: Fact];

/** The facts of streams as the log holds them, in this order. Positions leave gaps, as the store's do. */
export function recorded(...places: Place[]): RecordedFact[] {
  const log = createLog();
  for (const place of places) log.add(...place);
  return log.facts;
}

/** A log that grows. */
export function createLog() {
  const revisions = new Map<string, number>();
  const facts: RecordedFact[] = [];
  return {
    facts,
    add(stream: string, fact: Fact): RecordedFact {
      const revision = (revisions.get(stream) ?? -1) + 1;
      revisions.set(stream, revision);
      const position = (facts.length + 1) * 10;
      const place = { stream, revision, position, recordedAtMs: AT_MS + facts.length };
      const recorded: RecordedFact = { ...fact, id: uuid(position), metadata: metadata(), ...place };
      facts.push(recorded);
      return recorded;
    },
  };
}

function uuid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}
