import Type, { type Static } from 'typebox';
import { NewEvent, NewEvents, type PublishedEvent, publish } from '../../../domain/event.ts';
import { stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import type { NotificationLogEntry } from '../../../domain/notification-log.ts';
import { newFact } from '../commands.ts';
import type { Gateway } from '../context.ts';
import { At, entryFacts, entryFactsUntil, entryOf, publicationOf } from '../past.ts';
import { Problem } from '../problems.ts';
import { Proof, proofOf } from '../proof.ts';
import { DEFAULT_LIMIT, listQuery, MAX_LIMIT } from '../query.ts';
import { Page, type Request, route } from '../route.ts';
import { Id } from './answers.ts';

/** How large a batch may be: the store takes 1 MiB an append. */
const MAX_BATCH_KIB = 768;

const COLLECTION = '/v1/channels/:channel/events';
const ITEM = `${COLLECTION}/:event`;

const Time = Type.String({ format: 'date-time' });
const EventAnswer = Type.Object({
  id: Id,
  channel_id: Id,
  ...NewEvent.properties,
  published_at: Time,
});

const AttemptAnswer = Type.Object({
  attempt: Type.Integer({ minimum: 1 }),
  at: Time,
  status_code: Type.Union([Type.Integer(), Type.Null()]),
  error: Type.Union([Type.String(), Type.Null()]),
  duration_ms: Type.Number(),
  response_body: Type.String({ description: 'The first 1,024 bytes of it.' }),
  trigger: Type.Enum(['publish', 'retry', 'redeliver']),
  webhook_revision: Type.Integer({ description: "Version of the webhook's settings that the attempt used." }),
});
const LogAnswer = Type.Array(
  Type.Object({
    webhook_id: Id,
    webhook_url: Type.String(),
    status: Type.Enum(['pending', 'delivered', 'failed', 'cancelled']),
    next_attempt_at: Type.Union([Time, Type.Null()]),
    attempts: Type.Array(AttemptAnswer),
    proof: Type.Optional(Proof),
  }),
);

const page = listQuery(MAX_LIMIT);
const LogQuery = Closed({
  ...page.properties,
  at: At,
  proof: Type.Optional(Type.Literal('1', { description: 'Adds what proves each entry to a third party.' })),
});

export const eventRoutes = [
  route({
    method: 'POST',
    path: COLLECTION,
    access: 'publisher',
    summary: 'Publish an event',
    isPublishing: true,
    body: NewEvent,
    fromForm: numberCreatedAt,
    answer: EventAnswer,
    location: ({ id }, { channel }) => `/v1/channels/${channel?.id}/events/${id}`,
    handle: publishEvent,
  }),
  route({
    method: 'POST',
    path: `${COLLECTION}/batch`,
    access: 'publisher',
    summary: 'Publish many events at once: all or none',
    isPublishing: true,
    body: NewEvents,
    maxBodyKib: MAX_BATCH_KIB,
    count: ({ events }) => events.length,
    fromForm: ({ events }) => {
      if (Array.isArray(events)) for (const event of events) if (isObject(event)) numberCreatedAt(event);
    },
    answer: Type.Object({ ids: Type.Array(Id, { description: 'Of the events, in their order.' }) }),
    location: (_, { channel }) => `/v1/channels/${channel?.id}/events`,
    handle: async (request, gateway) => ({
      ids: (await publishAll(request, request.body.events, gateway)).map(({ id }) => id),
    }),
  }),
  route({
    method: 'GET',
    path: COLLECTION,
    access: 'publisher',
    summary: 'List the events of a channel, newest first',
    query: listQuery(DEFAULT_LIMIT),
    answer: Type.Array(EventAnswer),
    async handle({ channel, query: { after, limit = DEFAULT_LIMIT } }, { readModels, freshness }) {
      await freshness.whenRead(stream.events(channel.id));
      return new Page(readModels.events.page(channel.id, { after, limit: limit + 1 }), limit, ({ id }) => id);
    },
  }),
  route({
    method: 'GET',
    path: ITEM,
    access: 'publisher',
    summary: 'Read an event',
    answer: EventAnswer,
    handle: ({ channel, eventId }, gateway) => findEvent(gateway, channel.id, eventId),
  }),
  route({
    method: 'GET',
    path: `${ITEM}/notification_log`,
    access: 'log-reader',
    summary: 'Read what became of an event on its way to each webhook',
    query: LogQuery,
    answer: LogAnswer,
    async handle({ channel, eventId, onlyWebhook, query: { after, limit = MAX_LIMIT, ...more } }, gateway) {
      await findEvent(gateway, channel.id, eventId);
      const { deliveries } = gateway.readModels;
      const found =
        onlyWebhook === undefined
          ? deliveries.notificationLog(eventId, { after, limit: limit + 1 })
          : deliveries
              .notificationLog(eventId, { after: onlyWebhook - 1, limit: 1 })
              .filter(({ webhook_id }) => webhook_id === onlyWebhook);
      const isAsItIs = more.at === undefined && more.proof === undefined;
      const entries: readonly ProvenEntry[] = isAsItIs ? found : await fromFacts(gateway, eventId, found, more);
      return new Page(entries, limit, ({ webhook_id }) => webhook_id);
    },
  }),
];

interface Asked {
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
    entries.push({ ...(await entryOf(gateway.store, facts)), ...proof });
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

/** JSON can take up to this many times the characters of the body that it came from (`1e20`, or three-byte characters). */
const GROWTH = 6;
/** Bodies up to this size are not measured again. */
const SMALL = 4 * 1_024;
/** What one event, and a batch of them, may take in the log, in bytes: the store takes 1 MiB an append. */
const MAX_EVENT_BYTES = 768 * 1_024;
const MAX_BATCH_BYTES = 960 * 1_024;

async function publishEvent(request: Request<typeof COLLECTION, typeof NewEvent>, gateway: Gateway) {
  const [event] = await publishAll(request, [request.body], gateway);
  return event as PublishedEvent;
}

type Publication = Pick<
  Request<typeof COLLECTION>,
  'ids' | 'channel' | 'bodyLength' | 'atMs' | 'requestId' | 'by' | 'repeatable' | 'repeated'
>;

/** Publishes events in one append: all or none. */
async function publishAll(request: Publication, events: readonly NewEvent[], gateway: Gateway) {
  const { ids, channel, bodyLength, atMs, requestId, by, repeatable, repeated } = request;
  const name = stream.events(channel.id);
  const before = repeated ? await eventsBefore(gateway, name, channel.id, ids) : [];
  if (before.length > 0) return before;
  const published = events.map((event, index) => publish(ids[index] ?? 0, channel.id, event, atMs));
  const bytes = bodyLength <= SMALL ? bodyLength * GROWTH : sum(published.map(({ data }) => bytesOf(data)));
  if (bytes > (events.length === 1 ? MAX_EVENT_BYTES : MAX_BATCH_BYTES)) {
    throw new Problem('body-too-large', 'Written out as JSON, this is too large.');
  }
  const facts = published.map((fact) => newFact(fact, { about: fact.data.id, requestId, by }));
  // What may be repeated goes alone: an append of several facts is not recognised by one of them.
  const { position } = repeatable
    ? await gateway.store.append(name, facts, 'any')
    : await gateway.coalescer.append(name, facts, bytes);
  gateway.freshness.wrote(name, position);
  gateway.backpressure.wrote(position);
  return published.map(({ data }) => data);
}

const bytesOf = (event: PublishedEvent): number => Buffer.byteLength(JSON.stringify(event));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** The events that a repeated request published before, whichever process did it; none where it did not get that far. */
async function eventsBefore(
  { store, freshness, readModels }: Gateway,
  name: string,
  channelId: number,
  ids: readonly number[],
): Promise<readonly PublishedEvent[]> {
  const [last] = await store.read(name, { last: 1 });
  await freshness.whenPosition(last?.position ?? -1);
  return ids.flatMap((id) => readModels.events.byId(channelId, id) ?? []);
}

/** @throws Problem event-not-found */
async function findEvent({ readModels, freshness }: Gateway, channelId: number, id: number): Promise<PublishedEvent> {
  const whenRead = freshness.whenRead(stream.events(channelId));
  if (whenRead) await whenRead;
  const event = readModels.events.byId(channelId, id);
  if (!event) throw new Problem('event-not-found', 'There is no such event in this channel.');
  return event;
}
