import Type from 'typebox';
import type { Channel, ChannelFact, LiveChannel } from '../../domain/channel.ts';
import type { DeliveryChange } from '../../domain/delivery.ts';
import type { EventFact } from '../../domain/event.ts';
import { type Fact, type RecordedFact, stream } from '../../domain/facts.ts';
import { factsUntil } from '../../domain/history.ts';
import { foldEntry, type NotificationLogEntry } from '../../domain/notification-log.ts';
import { type SkippedEntry, skippedEntry } from '../../domain/skipped.ts';
import type { LiveWebhook, Webhook, WebhookFact } from '../../domain/webhook.ts';
import { type EventStore, type StoredEvent, toFact } from '../../infra/event-store/client.ts';
import { CHANNEL, WEBHOOK } from './commands.ts';
import type { Gateway } from './context.ts';
import { fieldProblem, Problem } from './problems.ts';

/** Query parameters that ask for what was. */
export const At = Type.Optional(
  Type.String({ format: 'date-time', description: 'As it was then: RFC 3339, by the clock of the event store.' }),
);
export const Revision = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: 'As this revision of its settings left it.',
  }),
);

/** Which past is asked for. */
export interface Then {
  readonly at?: string | undefined;
  readonly revision?: number | undefined;
}

/** What something was like, and since which fact. */
export interface Was<S> {
  readonly state: S;
  readonly revision: number;
  /** ISO 8601, UTC. */
  readonly recorded_at: string;
}

/** @throws Problem not-there-then, query-invalid; StoreUnavailable */
export function channelThen(store: EventStore, id: number, then: Then): Promise<Was<LiveChannel>> {
  return liveThen<Channel, ChannelFact, LiveChannel>(store, stream.channel(id), CHANNEL, then);
}

/** @throws Problem not-there-then, query-invalid; StoreUnavailable */
export function webhookThen(store: EventStore, id: number, then: Then): Promise<Was<LiveWebhook>> {
  return liveThen<Webhook, WebhookFact, LiveWebhook>(store, stream.webhook(id), WEBHOOK, then);
}

interface Fold<S, F> {
  readonly nothing: S;
  readonly evolve: (state: S, fact: F) => S;
}

async function liveThen<S extends { status: string }, F extends Fact, L extends S>(
  store: EventStore,
  name: string,
  { nothing, evolve }: Fold<S, F>,
  then: Then,
): Promise<Was<L>> {
  const facts = factsThen(await store.read<F>(name), then);
  const state = facts.reduce<S>(evolve, nothing);
  const last = facts.at(-1);
  if (!last || state.status !== 'live') throw notThere();
  return { state: state as L, revision: last.revision, recorded_at: new Date(last.recordedAtMs).toISOString() };
}

function factsThen<F extends Pick<RecordedFact, 'revision' | 'recordedAtMs'>>(
  facts: readonly F[],
  { at, revision }: Then,
): readonly F[] {
  if (at !== undefined && revision !== undefined) {
    throw fieldProblem('query-invalid', [{ field: 'revision', message: 'must not be given together with at' }]);
  }
  if (at !== undefined) return factsUntil(facts, Date.parse(at));
  if (revision !== undefined && !facts.some((fact) => fact.revision === revision)) throw notThere();
  return revision === undefined ? facts : facts.filter((fact) => fact.revision <= revision);
}

function notThere(): Problem {
  return new Problem('not-there-then', 'It did not exist at that time, or has no such revision.');
}

/** What an entry of the notification log is made of: the publication, then all that changed the delivery, in log order. */
export interface EntryFacts {
  readonly webhookId: number;
  readonly published: StoredEvent;
  readonly changes: readonly StoredEvent[];
  /** Whether the first of the changes opened the delivery, and not the publication. */
  readonly isLate: boolean;
}

/** The publication of an event. @throws StoreUnavailable */
export async function publicationOf({ store, readModels }: Gateway, eventId: number): Promise<StoredEvent> {
  return stored(store, readModels.events.position(eventId) ?? -1);
}

/** @throws StoreUnavailable */
export async function entryFacts(
  { store, readModels }: Gateway,
  { eventId, webhookId }: { readonly eventId: number; readonly webhookId: number },
  published: StoredEvent,
): Promise<EntryFacts> {
  const positions = readModels.deliveries.changedAt(eventId, webhookId);
  const changes = await Promise.all(positions.map((position) => stored(store, position)));
  return { webhookId, published, changes, isLate: readModels.deliveries.isLate(eventId, webhookId) };
}

async function stored(store: EventStore, position: number): Promise<StoredEvent> {
  const event = await store.storedAt(position);
  if (!event) throw new Error(`the log has no event at position ${position}, which the read models are made of`);
  return event;
}

/** Without what came later. @throws Problem not-there-then where the event had not been published */
export function entryFactsUntil(facts: EntryFacts, at: string): EntryFacts {
  const [published, ...changes] = storedUntil([facts.published, ...facts.changes], Date.parse(at));
  if (!published) throw notThere();
  return { ...facts, published, changes };
}

function storedUntil(events: readonly StoredEvent[], atMs: number): readonly StoredEvent[] {
  const count = factsUntil(
    events.map((event) => toFact(event)),
    atMs,
  ).length;
  return events.slice(0, count);
}

/** The entry that these facts make; undefined where the delivery was opened by none of them. @throws StoreUnavailable */
export async function entryOf(store: EventStore, facts: EntryFacts): Promise<NotificationLogEntry | undefined> {
  const openedBy = facts.isLate ? facts.changes[0] : facts.published;
  if (!openedBy) return undefined;
  const published = toFact(facts.published) as RecordedFact<EventFact>;
  const known = await store.read<WebhookFact>(stream.webhook(facts.webhookId));
  const webhook = known
    .filter(({ position }) => position < openedBy.position)
    .reduce<Webhook>(WEBHOOK.evolve, WEBHOOK.nothing);
  const changes = facts.changes.map((event) => toFact(event) as DeliveryChange & RecordedFact);
  return foldEntry(published.data, webhook as LiveWebhook, changes);
}

interface SkippedQuery {
  readonly eventId: number;
  readonly channelId: number;
  readonly after: number;
  readonly limit: number;
  readonly at?: string | undefined;
}

/**
 * A page of the entries of webhooks that an event was not sent to, ids ascending, from the first above `after`; without webhooks that did not exist at that time.
 * @throws Problem not-there-then where the event had not been published; StoreUnavailable
 */
export async function skippedEntries(
  gateway: Gateway,
  { eventId, channelId, after, limit, at }: SkippedQuery,
): Promise<SkippedEntry[]> {
  const { store, readModels } = gateway;
  const untilMs = at === undefined ? Number.POSITIVE_INFINITY : Date.parse(at);
  const [published] = factsUntil([toFact(await publicationOf(gateway, eventId)) as RecordedFact<EventFact>], untilMs);
  if (!published) throw notThere();
  const entries: SkippedEntry[] = [];
  let ids: number[];
  let last = after;
  do {
    ids = readModels.deliveries.skippedIds(eventId, channelId, { after: last, limit });
    for (const id of ids) {
      const entry = skippedEntry(factsUntil(await store.read<WebhookFact>(stream.webhook(id)), untilMs), published);
      if (entry) entries.push(entry);
    }
    last = ids.at(-1) ?? last;
  } while (ids.length === limit && entries.length < limit);
  return entries;
}
