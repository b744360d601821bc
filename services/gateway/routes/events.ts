import Type, { type Static } from 'typebox';
import { isFor, NewEvent, NewEvents, type PublishedEvent, publish } from '../../../domain/event.ts';
import { stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { factId, idTimeMs } from '../../../domain/ids.ts';
import type { NotificationLogEntry } from '../../../domain/notification-log.ts';
import { NewRedelivery, requestRedelivery } from '../../../domain/redelivery.ts';
import { newFact } from '../commands.ts';
import type { Gateway } from '../context.ts';
import { At, entryFacts, entryFactsUntil, entryOf, publicationOf, skippedEntries } from '../past.ts';
import { fieldProblem, Problem } from '../problems.ts';
import { Proof, proofOf } from '../proof.ts';
import { appendToEvents, findEvent, publishAll, whenAllIsRead } from '../publishing.ts';
import { DEFAULT_LIMIT, eventFilters, idsIn, listQuery, MAX_LIMIT } from '../query.ts';
import { Page, Part, type Request, route } from '../route.ts';
import { Attempt, By, EventAnswer, EventId, RequestId, Status, Time, Towards, WebhookId } from './answers.ts';

const PublishedEvents = Type.Object(
  { ids: Type.Array(EventId, { description: 'Of the events, in their order.' }) },
  { title: 'PublishedEvents' },
);

/** How large a batch may be: the store takes 1 MiB an append. */
const MAX_BATCH_KIB = 768;

/** About what a redelivery takes in the log at most. */
const MAX_REDELIVERY_BYTES = 1_024;

const COLLECTION = '/v1/channels/:channel/events';
const ITEM = `${COLLECTION}/:event`;

const RedeliveryAnswer = Type.Object(
  { id: RequestId, event_id: EventId, ...NewRedelivery.properties, requested_at: Time, by: By },
  { title: 'Redelivery' },
);

export const LogEntryAnswer = Type.Object(
  {
    webhook_id: WebhookId,
    ...Towards,
    status: Type.Enum([...Status.enum, 'skipped'], { examples: ['delivered'] }),
    reason: Type.Optional(
      Type.Enum(['event_names', 'created_later', 'deleted_before'], { description: 'Why it was skipped.' }),
    ),
    attempts: Type.Array(Attempt),
    redeliveries: Type.Optional(
      Type.Array(
        Type.Object({
          id: RequestId,
          requested_at: Time,
          by: By,
          reason: NewRedelivery.properties.reason,
          recovery: Type.Optional(Type.Literal(true, { description: 'It is part of a recovery, whose `id` it has.' })),
        }),
        { description: 'Who asked for it to be delivered again.' },
      ),
    ),
    proof: Type.Optional(Proof),
  },
  { title: 'NotificationLogEntry' },
);

const ListQuery = Closed({
  ...listQuery(DEFAULT_LIMIT).properties,
  ...eventFilters,
  ext_ref_code: NewEvent.properties.ext_ref_code,
  kind: Type.Optional(
    Type.Literal('operational', { description: 'Those that operational webhooks are sent, in place of all others.' }),
  ),
  include: Type.Optional(
    Type.Literal('deliveries', { description: 'Adds to each event how many of its deliveries have which status.' }),
  ),
});
const Count = Type.Integer({ minimum: 0 });
const Counts = Type.Object({
  ...{ pending: Count, delivered: Count, failed: Count, cancelled: Count },
  attempted: Type.Integer({ minimum: 0, description: 'Of those that are pending, those that were attempted.' }),
});
export const ListedEventAnswer = Type.Object(
  { ...EventAnswer.properties, deliveries: Type.Optional(Counts) },
  { title: 'ListedEvent' },
);
const page = listQuery(MAX_LIMIT);
const LogQuery = Closed({
  ...page.properties,
  at: At,
  include: Type.Optional(
    Type.Literal('skipped', { description: 'Adds the webhooks of the channel that were not sent the event.' }),
  ),
  proof: Type.Optional(Type.Literal('1', { description: 'Adds what proves each entry to a third party.' })),
});

export const eventRoutes = [
  route({
    method: 'POST',
    path: COLLECTION,
    access: 'publisher',
    operation: 'publishEvent',
    summary: 'Publish an event',
    isDelivering: true,
    isPublishing: true,
    body: NewEvent,
    fromForm: numberCreatedAt,
    answer: EventAnswer,
    location: ({ id }, { channel }) => `/v1/channels/${channel?.id}/events/${id}`,
    async handle(request, gateway) {
      const { id, channel, body, atMs } = request;
      const [event] = await publishAll(request, [publish(id, channel.id, body, atMs)], gateway);
      return event as PublishedEvent;
    },
  }),
  route({
    method: 'POST',
    path: `${COLLECTION}/batch`,
    access: 'publisher',
    operation: 'publishEvents',
    summary: 'Publish many events at once: all or none',
    isDelivering: true,
    isPublishing: true,
    body: NewEvents,
    maxBodyKib: MAX_BATCH_KIB,
    count: ({ events }) => events.length,
    fromForm: ({ events }) => {
      if (Array.isArray(events)) for (const event of events) if (isObject(event)) numberCreatedAt(event);
    },
    answer: PublishedEvents,
    location: (_, { channel }) => `/v1/channels/${channel?.id}/events`,
    async handle(request, gateway) {
      const { ids, channel, body, atMs } = request;
      const facts = body.events.map((event, index) => publish(ids[index] ?? 0, channel.id, event, atMs));
      return { ids: (await publishAll(request, facts, gateway)).map(({ id }) => id) };
    },
  }),
  route({
    method: 'GET',
    path: COLLECTION,
    access: 'publisher',
    operation: 'listEvents',
    summary: 'List the events of a channel, newest first',
    query: ListQuery,
    answer: Type.Array(ListedEventAnswer),
    async handle({ channel, query }, { readModels: { lists }, freshness }) {
      await freshness.whenRead(stream.events(channel.id));
      const { after, limit = DEFAULT_LIMIT, include } = query;
      const { items, next } = lists.events(channel.id, query, { ...idsIn(query), after, limit });
      if (include === undefined) return new Part(items, next);
      return new Part(
        items.map((event) => ({ ...event, deliveries: lists.counts(event.id) })),
        next,
      );
    },
  }),
  route({
    method: 'GET',
    path: ITEM,
    access: 'publisher',
    operation: 'getEvent',
    summary: 'Read an event',
    answer: EventAnswer,
    handle: ({ channel, eventId }, gateway) => findEvent(gateway, channel.id, eventId),
  }),
  route({
    method: 'GET',
    path: `${ITEM}/notification_log`,
    access: 'log-reader',
    operation: 'getNotificationLog',
    summary: 'Read what became of an event on its way to each webhook',
    problems: ['not-there-then'],
    query: LogQuery,
    answer: Type.Array(LogEntryAnswer),
    async handle({ channel, eventId, onlyWebhook, query: { after = 0, limit = MAX_LIMIT, ...more } }, gateway) {
      refuseSkippedWithProof(more);
      await findEvent(gateway, channel.id, eventId);
      const which = onlyWebhook === undefined ? { after, limit: limit + 1 } : { after: onlyWebhook - 1, limit: 1 };
      const isShown = ({ webhook_id }: { webhook_id: number }) => (onlyWebhook ?? webhook_id) === webhook_id;
      const found = gateway.readModels.deliveries.notificationLog(eventId, which).filter(isShown);
      const isAsItIs = more.at === undefined && more.proof === undefined;
      const shown = new Page<ProvenEntry>(found, limit, ({ webhook_id }) => webhook_id);
      if (more.include === undefined) {
        return isAsItIs ? shown : shown.showing(await fromFacts(gateway, eventId, shown.items, more));
      }
      const entries: readonly ProvenEntry[] = isAsItIs ? found : await fromFacts(gateway, eventId, found, more);
      const skipped = await skippedEntries(gateway, { eventId, channelId: channel.id, ...which, at: more.at });
      const all = [...entries, ...skipped.filter(isShown)].sort((a, b) => a.webhook_id - b.webhook_id);
      return new Page(all, limit, ({ webhook_id }) => webhook_id);
    },
  }),
  route({
    method: 'POST',
    path: `${ITEM}/redeliver`,
    access: 'publisher',
    operation: 'redeliverEvent',
    summary: 'Deliver an event again, now',
    problems: ['webhook-not-found', 'nothing-to-redeliver'],
    isDelivering: true,
    body: NewRedelivery,
    answer: RedeliveryAnswer,
    location: ({ event_id }, { channel }) => `/v1/channels/${channel?.id}/events/${event_id}/notification_log`,
    handle: redeliver,
  }),
];

/** What is proven is what happened, not that nothing did. */
function refuseSkippedWithProof({ include, proof }: Asked): void {
  if (include === undefined || proof === undefined) return;
  throw fieldProblem('query-invalid', [{ field: 'include', message: 'must not be given together with proof' }]);
}

async function redeliver(request: Request<`${typeof ITEM}/redeliver`, typeof NewRedelivery>, gateway: Gateway) {
  const { id, channel, eventId, body, atMs, requestId, by, repeatable, repeated } = request;
  const name = stream.events(channel.id);
  const event = await findEvent(gateway, channel.id, eventId);
  refuseExpired(gateway, event);
  const fact = requestRedelivery(event, body, { id, atMs, by });
  if (repeated) await whenAllIsRead(gateway, name);
  if (!repeated || !gateway.readModels.deliveries.hasRedelivery(event.id, id)) {
    assertReachable(gateway, event, body.webhook_id);
    const once = { ...newFact(fact, { about: event.id, requestId, by }), id: factId('RedeliveryRequested', id) };
    await appendToEvents(gateway, name, [once], { bytes: MAX_REDELIVERY_BYTES, repeatable });
  }
  const { channel_id, ...answer } = fact.data;
  return answer;
}

/** What is about to go must not be begun again. @throws Problem event-not-found */
function refuseExpired({ retentionMs, nowMs }: Gateway, { id }: PublishedEvent): void {
  if (retentionMs === undefined || idTimeMs(id) >= nowMs() - retentionMs) return;
  throw new Problem('event-not-found', 'The event is older than events are kept here.');
}

/** @throws Problem webhook-not-found, fields-invalid, nothing-to-redeliver */
function assertReachable({ readModels }: Gateway, event: PublishedEvent, webhookId: number | undefined): void {
  if (webhookId === undefined) {
    if (readModels.deliveries.hasLiveWebhook(event.id)) return;
    throw new Problem('nothing-to-redeliver', 'No webhook that this event was on its way to is there any more.');
  }
  const webhook = readModels.webhooks.byId(webhookId);
  if (webhook?.channel_id !== event.channel_id) {
    const errors = [{ field: 'webhook_id', message: 'is not that of a webhook of this channel' }];
    throw new Problem('webhook-not-found', 'There is no such webhook in this channel.', { errors });
  }
  if (!isFor(event, webhook)) {
    const whose =
      event.webhook_id === undefined ? 'a webhook of the kind that this is' : 'the webhook that this ping was';
    throw fieldProblem('fields-invalid', [{ field: 'webhook_id', message: `is not that of ${whose} for` }]);
  }
}

interface Asked {
  readonly include?: 'skipped' | undefined;
  readonly at?: string | undefined;
  readonly proof?: '1' | undefined;
}

type ProvenEntry = NotificationLogEntry & { readonly proof?: Static<typeof Proof> };

/** The entries again, from the facts in the log: as they were at a time, with proofs of these facts. */
async function fromFacts(gateway: Gateway, eventId: number, found: readonly NotificationLogEntry[], asked: Asked) {
  const published = await publicationOf(gateway, eventId);
  const entries: ProvenEntry[] = [];
  for (const { webhook_id: webhookId } of found) {
    const all = await entryFacts(gateway, { eventId, webhookId }, published);
    const facts = asked.at === undefined ? all : entryFactsUntil(all, asked.at);
    const proof = asked.proof === undefined ? {} : { proof: proofOf(facts, gateway.tree()) };
    const entry = await entryOf(gateway.store, facts);
    if (entry) entries.push({ ...entry, ...proof });
  }
  return entries;
}

/** A form can only say text, but `data[created_at]` of digits is meant as a number (api.md's example). */
function numberCreatedAt({ data }: Record<string, unknown>): void {
  if (!isObject(data)) return;
  const { created_at } = data;
  if (typeof created_at !== 'string' || !/^(?:0|[1-9][0-9]{0,15})$/.test(created_at)) return;
  if (Number.isSafeInteger(Number(created_at))) data.created_at = Number(created_at);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
