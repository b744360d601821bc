import { evolveChannel, NO_CHANNEL } from '../../domain/channel.ts';
import { type Erasure, type ErasureFact, evolveErasure, NO_ERASURE } from '../../domain/erasure.ts';
import { type Fact, type RecordedFact, stream } from '../../domain/facts.ts';
import { factsUntil } from '../../domain/history.ts';
import { foldNotificationLog } from '../../domain/notification-log.ts';
import { foldSkipped } from '../../domain/skipped.ts';
import { evolveWebhook, NO_WEBHOOK } from '../../domain/webhook.ts';
import { type EventStore, type StoredEvent, toFact } from '../../infra/event-store/client.ts';
import { CannotStart } from '../../infra/local/cannot-start.ts';
import { recordedMs } from './source.ts';

export const SHOWN = ['channel', 'webhook', 'log'] as const;

export interface ShowOptions {
  readonly what: (typeof SHOWN)[number];
  readonly id: number;
  /** In ms since the epoch. */
  readonly at?: number;
  readonly revision?: number;
  /** Whether a log also has the webhooks that were not sent the event. */
  readonly skipped?: boolean;
}

/** Prints what something is, or was, as JSON: deleted things too, and never a key. @throws CannotStart where there was none; StoreUnavailable */
export async function show(store: EventStore, { what, id, ...then }: ShowOptions, signal: AbortSignal): Promise<void> {
  console.log(JSON.stringify(await SHOW[what](store, id, then, signal), undefined, 2));
}

type Then = Pick<ShowOptions, 'at' | 'revision' | 'skipped'>;

const SHOW: Record<
  ShowOptions['what'],
  (store: EventStore, id: number, then: Then, signal: AbortSignal) => Promise<object>
> = {
  channel: async (store, id, then) =>
    (await erasureOf(store, id)) ??
    folded(store, stream.channel(id), { nothing: NO_CHANNEL, evolve: evolveChannel }, then),
  webhook: (store, id, then) => folded(store, stream.webhook(id), { nothing: NO_WEBHOOK, evolve: evolveWebhook }, then),
  log: notificationLog,
};

/** What is left to be told of a channel that somebody wanted to be erased. */
async function erasureOf(store: EventStore, channelId: number): Promise<object | undefined> {
  const facts = await store.read<ErasureFact>(stream.erasure(channelId));
  const erasure = facts.reduce<Erasure>(evolveErasure, NO_ERASURE);
  return erasure.status === 'none' ? undefined : { status: 'erased', erasure };
}

async function folded<S, F extends Fact>(
  store: EventStore,
  name: string,
  { nothing, evolve }: { nothing: S; evolve: (state: S, fact: F) => S },
  { at = Number.POSITIVE_INFINITY, revision = Number.POSITIVE_INFINITY }: Then,
): Promise<object> {
  const facts = factsUntil(await store.read<F>(name), at).filter((fact) => fact.revision <= revision);
  const last = facts.at(-1);
  const isThere = last && (revision === Number.POSITIVE_INFINITY || last.revision === revision);
  if (!isThere) throw new CannotStart(`there was no ${name} then`);
  const state = shown(facts.reduce<S>(evolve, nothing));
  return {
    revision: last.revision,
    recorded_at: new Date(last.recordedAtMs).toISOString(),
    by: last.metadata.by,
    ...state,
  };
}

/** Of headers, whose values are secret, the names. */
function shown<S>(state: S): S {
  const { fields } = state as { fields?: { headers?: object } };
  return fields?.headers ? { ...state, fields: { ...fields, headers: Object.keys(fields.headers) } } : state;
}

const AT_A_TIME = 1_024;

/** Of all facts only those are parsed that may be about it: the log can be long. */
async function notificationLog(
  store: EventStore,
  eventId: number,
  { at = Number.POSITIVE_INFINITY, skipped = false }: Then,
  signal: AbortSignal,
) {
  const correlation = Buffer.from(`"$correlationId":"${eventId}"`);
  const isAbout = ({ stream: name, metadata, data }: StoredEvent) =>
    /^(channel|webhook)-/.test(name) ||
    (/^(events|deliveries)-/.test(name) && metadata.includes(correlation)) ||
    (name.startsWith('recovery-') && data.includes(String(eventId)));
  const facts: RecordedFact[] = [];
  const whole = { after: -1, to: await store.lastPosition(), atATime: AT_A_TIME, signal };
  for await (const { facts: events } of store.storedUpTo(whole)) {
    const later = events.findIndex((event) => recordedMs(event) > at);
    const then = later < 0 ? events : events.slice(0, later);
    facts.push(...then.filter(isAbout).map((event) => toFact(event)));
    if (later >= 0) break;
  }
  if (!facts.some(({ type, data }) => type === 'EventPublished' && data.id === eventId)) {
    throw new CannotStart(`event ${eventId} was not published then, or the log has it no more`);
  }
  const entries = [...foldNotificationLog(facts, eventId), ...(skipped ? foldSkipped(facts, eventId) : [])];
  return entries.sort((a, b) => a.webhook_id - b.webhook_id);
}
