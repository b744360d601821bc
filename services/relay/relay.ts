import { setTimeout as delay } from 'node:timers/promises';
import { RELAYED_STREAMS, type RecordedFact } from '../../domain/facts.ts';
import { recoveredIn } from '../../domain/recovery.ts';
import type { EventStore, LogBatch } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import type { Queue } from '../../infra/queue/client.ts';
import type { Tracing } from '../../infra/tracing/tracing.ts';
import type { Leadership, Term } from './leadership.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import type { Registry } from './registry.ts';
import { createRelaySpans, type RelaySpans } from './relay-spans.ts';

/** Messages after which the relay notes where it is, also in the middle of what it has read: where many webhooks hang on a channel, that takes long. */
const NOTED = 1_024;
/** How often it is looked how far the leader is while waiting for it, in ms. */
const LOOK_MS = 50;

export interface RelayDeps {
  readonly registry: Registry;
  readonly leadership: Leadership;
  readonly store: EventStore;
  readonly queue: Queue;
  /** Absent where there are no traces. */
  readonly tracing?: Tracing | undefined;
  readonly log: Logger;
}

export type Relay = ReturnType<typeof createRelay>;

/**
 * Turns each published event into one queue message for every webhook that is live at its place in the log. One relay of all nodes does, the leader; the
 * others keep their tables in step with it, and go on from what it has noted when it is gone. What was published before there was any relay is left to the
 * sweeper, which knows what of it is still to be delivered.
 */
export function createRelay({ registry, leadership, store, queue, tracing, log }: RelayDeps) {
  let reading = registry.position();
  /** The term that is prepared for, and what is left out in it. */
  let prepared: { readonly number: number; readonly skipTo: number } | undefined;

  /**
   * What is known of log and queue: what the last leader has noted, or, where that was this node or there is none, what is in the own table.
   * @returns the last place in the log from which nothing is to be published
   */
  async function prepare({ found, wasOurs }: Term): Promise<number> {
    let relayedTo = -1;
    const isOursBetter = wasOurs && registry.skipped() !== undefined;
    if (found && !isOursBetter && (await isOfThisLog(found.position))) {
      registry.adopt(found);
      relayedTo = found.position;
    }
    reading = Math.max(registry.position(), relayedTo);
    leadership.setNote(() => {
      const note = registry.note();
      // Until the table has caught up with what the last leader has done.
      return { ...note, position: Math.max(note.position, relayedTo) };
    });
    return Math.max(relayedTo, await skippedTo());
  }

  async function isOfThisLog(position: number): Promise<boolean> {
    const head = await store.lastPosition();
    if (position <= head) return true;
    log.warn({ position, head }, 'the broker knows a relay that is beyond the end of this log: it is another one’s');
    return false;
  }

  /** What is on the queue before there is a table is of another time: the sweeper puts what is pending of it there anew, and it would be there twice. */
  async function skippedTo(): Promise<number> {
    const known = registry.skipped();
    if (known) return known.to;
    await queue.ensure();
    if ((await queue.state()).lastSequence > 0) await queue.empty();
    const skipped = { to: await store.lastPosition(), on: (await queue.state()).incarnation };
    registry.setSkipped(skipped);
    return skipped.to;
  }

  /** Keeps the table in step with the leader, never ahead of it, until this relay leads. */
  async function standBy(signal: AbortSignal): Promise<Term> {
    const over = new AbortController();
    const leading = leadership.whenLeading(signal).finally(() => over.abort());
    leading.catch(() => {});
    try {
      await followLeader(AbortSignal.any([signal, over.signal]));
    } catch (error) {
      if (!over.signal.aborted) throw error;
    }
    return await leading;
  }

  async function followLeader(signal: AbortSignal): Promise<void> {
    const noted = leadership.notedPosition();
    if (noted >= 0 && registry.position() >= noted) leadership.isInStep();
    await whenAhead(registry.position(), signal);
    for await (const batch of store.follow({ after: registry.position(), prefixes: RELAYED_STREAMS, signal })) {
      for (let reached = registry.position(); reached < batch.position; reached = registry.position()) {
        const upTo = Math.min(batch.position, await whenAhead(reached, signal));
        applyUpTo(batch.facts, reached, upTo);
        if (upTo === leadership.notedPosition()) leadership.isInStep();
      }
    }
  }

  function applyUpTo(facts: LogBatch['facts'], after: number, upTo: number) {
    registry.begin();
    try {
      for (const fact of facts) if (fact.position > after && fact.position <= upTo) registry.apply(fact);
      registry.commit(upTo, undefined);
    } catch (error) {
      registry.rollback();
      throw error;
    }
  }

  /** Resolves with the place of the leader once that is behind `position`. */
  async function whenAhead(position: number, signal: AbortSignal): Promise<number> {
    while (leadership.notedPosition() <= position) await delay(LOOK_MS, undefined, { signal });
    return leadership.notedPosition();
  }

  const service: Service = createLoop('relay', log, async (signal, working) => {
    const term = await standBy(signal);
    const publisher = createPublisher(queue, log, term);
    if (prepared?.number !== term.number) prepared = { number: term.number, skipTo: await prepare(term) };
    const { skipTo } = prepared;
    const spans = createRelaySpans(tracing);
    const options = { after: registry.position(), prefixes: RELAYED_STREAMS, signal: term.signal };
    for await (const batch of store.follow(options)) {
      reading = Math.max(reading, batch.position);
      await relayBatch({ registry, publisher, spans }, batch, skipTo);
      working();
    }
  });
  return {
    ...service,
    registry,
    /** The furthest place in the log whose messages may have been put on the queue, committed or not. */
    reading: (): number => reading,
    /** Resolves once this relay leads and knows what the last leader knew. @throws where `signal` aborts before that */
    async whenLeading(signal: AbortSignal): Promise<Term> {
      for (;;) {
        const term = await leadership.whenLeading(signal);
        if (prepared?.number === term.number) return term;
        await delay(LOOK_MS, undefined, { signal });
      }
    },
  };
}

interface Relaying {
  readonly registry: Registry;
  readonly publisher: Publisher;
  readonly spans: RelaySpans;
}

async function relayBatch(
  { registry, publisher, spans }: Relaying,
  { facts, position }: LogBatch,
  skipTo: number,
): Promise<void> {
  let messages = 0;
  registry.begin();
  try {
    for (const fact of facts) {
      registry.apply(fact);
      if (fact.position <= skipTo) continue;
      spans.begin(fact);
      for (const { id, ...about } of messagesOf(registry, fact)) {
        const whenRoom = publisher.add({ ...about, position: fact.position }, id);
        if (whenRoom) await whenRoom;
        messages += 1;
      }
      if (messages < NOTED) continue;
      registry.commit(fact.position, await publisher.flush());
      spans.queued();
      registry.begin();
      messages = 0;
    }
    registry.commit(position, await publisher.flush());
    spans.queued();
  } catch (error) {
    spans.failed(error);
    registry.rollback();
    throw error;
  }
}

/** What is put on the queue for a fact. Whether anything is to be done about it is known where the delivery is looked up. */
function* messagesOf(registry: Registry, fact: RecordedFact) {
  switch (fact.type) {
    case 'EventPublished': {
      const { id: event_id } = fact.data;
      for (const webhook_id of registry.webhookIds(fact.data, fact.position)) {
        yield { event_id, webhook_id, id: `${event_id}-${webhook_id}` };
      }
      return;
    }
    case 'RedeliveryRequested': {
      const { id, event_id, channel_id, webhook_id: only } = fact.data;
      for (const webhook_id of only === undefined ? registry.liveIds(channel_id) : [only]) {
        yield { event_id, webhook_id, id: `${event_id}-${webhook_id}-again-${id}` };
      }
      return;
    }
    case 'EventsRecovered': {
      const { id, webhook_id } = fact.data;
      for (const event_id of recoveredIn(fact)) {
        yield { event_id, webhook_id, id: `${event_id}-${webhook_id}-again-${id}` };
      }
    }
  }
}
