import Type, { type Static } from 'typebox';
import { NewEvent, type PublishedEvent, publish } from '../../../domain/event.ts';
import { stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import type { NotificationLogEntry } from '../../../domain/notification-log.ts';
import { newFact } from '../commands.ts';
import type { Gateway } from '../context.ts';
import { At, entryFacts, entryFactsUntil, entryOf, publicationOf } from '../past.ts';
import { Problem } from '../problems.ts';
import { Proof, proofOf } from '../proof.ts';
import { DEFAULT_LIMIT, eventFilters, idsIn, listQuery, MAX_LIMIT } from '../query.ts';
import { Page, Part, type Request, route } from '../route.ts';
import { Attempt, EventAnswer, Id, Status, Time } from './answers.ts';

const COLLECTION = '/v1/channels/:channel/events';
const ITEM = `${COLLECTION}/:event`;

const LogAnswer = Type.Array(
  Type.Object({
    webhook_id: Id,
    webhook_url: Type.String(),
    status: Status,
    next_attempt_at: Type.Union([Time, Type.Null()]),
    attempts: Type.Array(Attempt),
    proof: Type.Optional(Proof),
  }),
);

const ListQuery = Closed({
  ...listQuery(DEFAULT_LIMIT).properties,
  ...eventFilters,
  ext_ref_code: NewEvent.properties.ext_ref_code,
});
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
    method: 'GET',
    path: COLLECTION,
    access: 'publisher',
    summary: 'List the events of a channel, newest first',
    query: ListQuery,
    answer: Type.Array(EventAnswer),
    async handle({ channel, query }, { readModels, freshness }) {
      await freshness.whenRead(stream.events(channel.id));
      const { after, limit = DEFAULT_LIMIT } = query;
      const { items, next } = readModels.lists.events(channel.id, query, { ...idsIn(query), after, limit });
      return new Part(items, next);
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
  if (typeof data !== 'object' || data === null) return;
  const { created_at } = data as { created_at?: unknown };
  if (typeof created_at !== 'string' || !/^(?:0|[1-9][0-9]{0,15})$/.test(created_at)) return;
  if (Number.isSafeInteger(Number(created_at))) (data as { created_at?: unknown }).created_at = Number(created_at);
}

/** JSON can take up to this many times the characters of the body that it came from (`1e20`, or three-byte characters). */
const GROWTH = 6;
/** Bodies up to this size are not measured again. */
const SMALL = 4 * 1_024;
/** What one event may take in the log, in bytes: the store takes 1 MiB an append. */
const MAX_EVENT_BYTES = 768 * 1_024;

async function publishEvent(request: Request<typeof COLLECTION, typeof NewEvent>, gateway: Gateway) {
  const { id, channel, body, bodyLength, atMs, requestId, by, repeatable, repeated } = request;
  const fact = publish(id, channel.id, body, atMs);
  const name = stream.events(channel.id);
  const before = repeated ? await eventBefore(gateway, name, channel.id, id) : undefined;
  if (before) return before;
  const bytes = bodyLength <= SMALL ? bodyLength * GROWTH : Buffer.byteLength(JSON.stringify(fact.data));
  if (bytes > MAX_EVENT_BYTES) throw new Problem('body-too-large', 'Written out as JSON, the event is too large.');
  const facts = [newFact(fact, { about: id, requestId, by })];
  // What may be repeated goes alone: an append of several facts is not recognised by one of them.
  const { position } = repeatable
    ? await gateway.store.append(name, facts, 'any')
    : await gateway.coalescer.append(name, facts, bytes);
  gateway.freshness.wrote(name, position);
  gateway.backpressure.wrote(position);
  return fact.data;
}

/** The event that a repeated request published before, whichever process did it. */
async function eventBefore(gateway: Gateway, name: string, channelId: number, id: number) {
  const [last] = await gateway.store.read(name, { last: 1 });
  await gateway.freshness.whenPosition(last?.position ?? -1);
  return gateway.readModels.events.byId(channelId, id);
}

/** @throws Problem event-not-found */
async function findEvent({ readModels, freshness }: Gateway, channelId: number, id: number): Promise<PublishedEvent> {
  const whenRead = freshness.whenRead(stream.events(channelId));
  if (whenRead) await whenRead;
  const event = readModels.events.byId(channelId, id);
  if (!event) throw new Problem('event-not-found', 'There is no such event in this channel.');
  return event;
}
