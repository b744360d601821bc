import type { EventFact, PublishedEvent } from '../../domain/event.ts';
import { type NewFact, stream } from '../../domain/facts.ts';
import { during } from '../../infra/tracing/during.ts';
import { newFact } from './commands.ts';
import type { Gateway } from './context.ts';
import { Problem } from './problems.ts';
import type { Request } from './route.ts';

/** JSON can take up to this many times the characters of the body that it came from (`1e20`, or three-byte characters). */
const GROWTH = 6;
/** Bodies up to this size are not measured again. */
const SMALL = 4 * 1_024;
/** What one event, and a batch of them, may take in the log, in bytes: the store takes 1 MiB an append. */
const MAX_EVENT_BYTES = 768 * 1_024;
const MAX_BATCH_BYTES = 960 * 1_024;

type Asked = Pick<
  Request<'/:channel'>,
  'ids' | 'channel' | 'bodyLength' | 'requestId' | 'traceparent' | 'by' | 'repeatable' | 'repeated'
>;

/**
 * Publishes events in one append: all or none.
 * @throws Problem body-too-large, read-models-behind; StoreUnavailable
 */
export async function publishAll(
  request: Asked,
  published: readonly EventFact[],
  gateway: Gateway,
): Promise<readonly PublishedEvent[]> {
  const { ids, channel, bodyLength, requestId, traceparent, by, repeatable, repeated } = request;
  const name = stream.events(channel.id);
  const before = repeated ? await eventsBefore(gateway, name, channel.id, ids) : [];
  if (before.length > 0) return before;
  const bytes = bodyLength <= SMALL ? bodyLength * GROWTH : sum(published.map(({ data }) => bytesOf(data)));
  if (bytes > (published.length === 1 ? MAX_EVENT_BYTES : MAX_BATCH_BYTES)) {
    throw new Problem('body-too-large', 'Written out as JSON, this is too large.');
  }
  const facts = published.map((fact) => newFact(fact, { about: fact.data.id, requestId, traceparent, by }));
  const attributes = { 'webhooks.channel_id': channel.id, 'webhooks.events': facts.length };
  await during(gateway.tracing, { name: 'append events', kind: 'client', parent: traceparent, attributes }, () =>
    appendToEvents(gateway, name, facts, { bytes, repeatable }),
  );
  gateway.figures.accepted(facts.length);
  return published.map(({ data }) => data);
}

const bytesOf = (event: PublishedEvent): number => Buffer.byteLength(JSON.stringify(event));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** The events that a repeated request published before, whichever process did it; none where it did not get that far. */
async function eventsBefore(
  gateway: Gateway,
  name: string,
  channelId: number,
  ids: readonly number[],
): Promise<readonly PublishedEvent[]> {
  for (;;) {
    await whenAllIsRead(gateway, name);
    const found = ids.flatMap((id) => gateway.readModels.events.byId(channelId, id) ?? []);
    // Where one is in the log all are: the read models are amid them, and were asked too early.
    if (found.length === 0 || found.length === ids.length) return found;
  }
}

/** Resolves once the read models hold all that a stream has by now, whichever gateway put it there. @throws Problem read-models-behind; StoreUnavailable */
export async function whenAllIsRead({ store, freshness }: Gateway, name: string): Promise<void> {
  const [last] = await store.read(name, { last: 1 });
  await freshness.whenPosition(last?.position ?? -1);
}

/**
 * Appends what has no invariant and makes deliveries. What may be repeated goes alone: an append of several facts is not recognised by one of them.
 * @throws StoreUnavailable
 */
export async function appendToEvents(
  { store, coalescer, freshness, backpressure }: Gateway,
  name: string,
  facts: readonly NewFact[],
  { bytes, repeatable }: { readonly bytes: number; readonly repeatable: boolean },
): Promise<void> {
  const { position } = repeatable ? await store.append(name, facts, 'any') : await coalescer.append(name, facts, bytes);
  freshness.wrote(name, position);
  backpressure.wrote(position);
}

/** @throws Problem event-not-found */
export async function findEvent(
  { readModels, freshness }: Gateway,
  channelId: number,
  id: number,
): Promise<PublishedEvent> {
  const whenRead = freshness.whenRead(stream.events(channelId));
  if (whenRead) await whenRead;
  const event = readModels.events.byId(channelId, id);
  if (!event) throw new Problem('event-not-found', 'There is no such event in this channel.');
  return event;
}
