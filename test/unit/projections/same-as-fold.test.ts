import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import fc from 'fast-check';
import type { DeliveryFact } from '../../../domain/delivery.ts';
import type { EventFact } from '../../../domain/event.ts';
import { type Fact, type RecordedFact, stream } from '../../../domain/facts.ts';
import { foldEntry, foldNotificationLog } from '../../../domain/notification-log.ts';
import { evolveWebhook, type LiveWebhook, NO_WEBHOOK, type WebhookFact } from '../../../domain/webhook.ts';
import { createReadModels, readModels, readModelWriter } from '../../../projections/read-models.ts';
import {
  attempted,
  CHANNEL_DELETED,
  channelCreated,
  createLog,
  DELIVERED,
  eventsRecovered,
  published,
  redeliveryRequested,
  subscriberKeyRotated,
  WEBHOOK_DELETED,
  WEBHOOK_PAUSED,
  webhookCreated,
  webhookResumed,
  webhookUpdated,
} from '../../support/sample.ts';

const CHANNELS = [1, 2];
const WEBHOOKS = [11, 12, 13];
const EVENTS = [101, 102, 103];

const channelOf = (id: number) => CHANNELS[id % CHANNELS.length] as number;
const channel = fc.constantFrom(...CHANNELS);
const webhook = fc.constantFrom(...WEBHOOKS);
const event = fc.constantFrom(...EVENTS);
const url = fc.constantFrom('https://a.example/', 'https://b.example/');

const eventNames = fc.constantFrom<string[] | null>(null, ['order.*'], ['user.*', 'order.created'], ['user.*']);
function maybe<T>(arbitrary: fc.Arbitrary<T>) {
  return fc.option(arbitrary, { nil: undefined });
}

/** Any fact at any place: also those that the deciders would never let come in this order, but races can. */
const place: fc.Arbitrary<[string, Fact]> = fc.oneof(
  channel.map((id): [string, Fact] => [stream.channel(id), channelCreated({ id })]),
  { weight: 2, arbitrary: webhook.map((id): [string, Fact] => created(id)) },
  fc.tuple(webhook, url).map(([id, to]): [string, Fact] => [stream.webhook(id), webhookUpdated({ webhook_url: to })]),
  fc
    .tuple(webhook, eventNames)
    .map(([id, event_names]): [string, Fact] => [stream.webhook(id), webhookUpdated({ event_names })]),
  webhook.map((id): [string, Fact] => [stream.webhook(id), subscriberKeyRotated()]),
  webhook.map((id): [string, Fact] => [stream.webhook(id), WEBHOOK_DELETED]),
  { weight: 2, arbitrary: webhook.map((id): [string, Fact] => [stream.webhook(id), WEBHOOK_PAUSED]) },
  { weight: 2, arbitrary: webhook.map((id): [string, Fact] => [stream.webhook(id), webhookResumed()]) },
  channel.map((id): [string, Fact] => [stream.channel(id), CHANNEL_DELETED]),
  { weight: 3, arbitrary: fc.tuple(event, maybe(webhook)).map(([id, only]): [string, Fact] => publishedTo(id, only)) },
  { weight: 2, arbitrary: fc.tuple(event, fc.nat(2), maybe(webhook)).map((of) => redeliveryOf(...of)) },
  fc.tuple(fc.nat(2), webhook, fc.subarray(EVENTS)).map((of) => recoveryOf(...of)),
  {
    weight: 3,
    arbitrary: fc.tuple(event, webhook, fc.boolean(), maybe(fc.nat(2))).map((of) => attemptOn(...of)),
  },
);

function created(id: number): [string, Fact] {
  return [stream.webhook(id), webhookCreated({ id, channel_id: channelOf(id) })];
}

function publishedTo(id: number, webhook_id?: number): [string, Fact] {
  const channel_id = channelOf(id);
  return [stream.events(channel_id), published({ id, channel_id, ...(webhook_id !== undefined && { webhook_id }) })];
}

function redeliveryOf(event_id: number, id: number, webhook_id?: number): [string, Fact] {
  const channel_id = channelOf(event_id);
  const only = webhook_id === undefined ? {} : { webhook_id };
  return [stream.events(channel_id), redeliveryRequested({ id, event_id, channel_id, ...only })];
}

function attemptOn(event_id: number, webhook_id: number, isDelivered: boolean, redelivery?: number): [string, Fact] {
  const madeFor = redelivery === undefined ? {} : { redelivery_id: redelivery };
  const fact = attempted({ event_id, webhook_id, ...(isDelivered && DELIVERED), ...madeFor });
  return [stream.deliveries(channelOf(event_id)), fact];
}

function recoveryOf(id: number, webhook_id: number, eventIds: readonly number[]): [string, Fact] {
  const channel_id = channelOf(webhook_id);
  const failed = eventIds.filter((event_id) => channelOf(event_id) === channel_id);
  return [stream.recovery(id), eventsRecovered({ id, channel_id, webhook_id, failed })];
}

/** An entry, from nothing but the facts that the read models name for it. */
function entryOf(
  facts: readonly RecordedFact[],
  {
    publishedAt,
    webhook_id,
    changedAt,
    isLate,
  }: { publishedAt: number | undefined; webhook_id: number; changedAt: number[]; isLate: boolean },
) {
  const at = (position: number | undefined) => facts.find((fact) => fact.position === position);
  const published = at(publishedAt) as RecordedFact<EventFact>;
  const webhook = facts
    .filter(
      (fact) =>
        fact.stream === stream.webhook(webhook_id) &&
        fact.position < (isLate ? (changedAt[0] as number) : published.position),
    )
    .reduce((state, fact) => evolveWebhook(state, fact as RecordedFact<WebhookFact>), NO_WEBHOOK);
  return foldEntry(published.data, webhook as LiveWebhook, changedAt.map(at) as RecordedFact<DeliveryFact>[]);
}

describe('the notification log in the read models', () => {
  it('is the fold of the facts, whatever their order and however they came in batches', () => {
    const places = fc.array(place, { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(places, fc.integer({ min: 1, max: 10 }), (places, batch) => {
        const log = createLog();
        // A webhook's stream begins with its creation, once: the store's expected revisions see to that.
        const begun = new Set<string>();
        for (const [name, fact] of places) {
          const isWebhooks = name.startsWith('webhook-');
          if (isWebhooks && (fact.type === 'WebhookCreated') === begun.has(name)) continue;
          if (isWebhooks) begun.add(name);
          log.add(name, fact);
        }
        using db = new DatabaseSync(':memory:');
        createReadModels(db);
        const writer = readModelWriter(db);
        for (let from = 0; from < log.facts.length; from += batch) {
          const facts = log.facts.slice(from, from + batch);
          writer.apply(facts, facts.at(-1)?.position ?? -1);
        }
        const { deliveries } = readModels(db);
        for (const id of EVENTS) {
          const entries = deliveries.notificationLog(id, { limit: 100 });
          expect(entries).to.deep.equal(foldNotificationLog(log.facts, id));
          const { position } = readModels(db).events;
          const fromFacts = entries.map(({ webhook_id }) => {
            const changedAt = deliveries.changedAt(id, webhook_id);
            const isLate = deliveries.isLate(id, webhook_id);
            return entryOf(log.facts, { publishedAt: position(id), webhook_id, changedAt, isLate });
          });
          expect(fromFacts).to.deep.equal(entries);
        }
        const pending = EVENTS.flatMap((id) => foldNotificationLog(log.facts, id)).filter(
          ({ status, next_attempt_at }) => status === 'pending' && next_attempt_at !== null,
        );
        expect(deliveries.countPending()).to.equal(pending.length);
      }),
      { numRuns: 300 },
    );
  });
});
