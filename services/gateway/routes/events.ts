import Type, { type Static } from 'typebox';
import { NewEvent, type PublishedEvent, publish } from '../../../domain/event.ts';
import { stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import type { NotificationLogEntry } from '../../../domain/notification-log.ts';
import { newFact } from '../commands.ts';
import type { Gateway } from '../context.ts';
import { At, entryFacts, entryFactsUntil, entryOf, publicationOf, skippedEntries } from '../past.ts';
import { fieldProblem, Problem } from '../problems.ts';
import { Proof, proofOf } from '../proof.ts';
import { DEFAULT_LIMIT, listQuery, MAX_LIMIT } from '../query.ts';
import { Page, type Request, route } from '../route.ts';
import { Id } from './answers.ts';

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
    status: Type.Enum(['pending', 'delivered', 'failed', 'cancelled', 'skipped']),
    reason: Type.Optional(
      Type.Enum(['event_names', 'created_later', 'deleted_before'], { description: 'Why it was skipped.' }),
    ),
    next_attempt_at: Type.Union([Time, Type.Null()]),
    attempts: Type.Array(AttemptAnswer),
    proof: Type.Optional(Proof),
  }),
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
    async handle({ channel, eventId, onlyWebhook, query: { after = 0, limit = MAX_LIMIT, ...more } }, gateway) {
      refuseSkippedWithProof(more);
      await findEvent(gateway, channel.id, eventId);
      const which = onlyWebhook === undefined ? { after, limit: limit + 1 } : { after: onlyWebhook - 1, limit: 1 };
      const isShown = ({ webhook_id }: { webhook_id: number }) => (onlyWebhook ?? webhook_id) === webhook_id;
      const found = gateway.readModels.deliveries.notificationLog(eventId, which).filter(isShown);
      const isAsItIs = more.at === undefined && more.proof === undefined;
      const entries: readonly ProvenEntry[] = isAsItIs ? found : await fromFacts(gateway, eventId, found, more);
      const skipped =
        more.include === undefined
          ? []
          : await skippedEntries(gateway, { eventId, channelId: channel.id, ...which, at: more.at });
      const all = [...entries, ...skipped.filter(isShown)].sort((a, b) => a.webhook_id - b.webhook_id);
      return new Page(all.slice(0, limit + 1), limit, ({ webhook_id }) => webhook_id);
    },
  }),
];

/** What is proven is what happened, not that nothing did. */
function refuseSkippedWithProof({ include, proof }: Asked): void {
  if (include === undefined || proof === undefined) return;
  throw fieldProblem('query-invalid', [{ field: 'include', message: 'must not be given together with proof' }]);
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
