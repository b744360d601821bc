import type { DatabaseSync } from 'node:sqlite';
import { RELAYED_STREAMS } from '../../domain/facts.ts';
import type { EventStore, LogBatch } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import type { Queue } from '../../infra/queue/client.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import { openRegistry, type Registry } from './registry.ts';

/** Messages after which the relay notes where it is, also in the middle of what it has read: where many webhooks hang on a channel, that takes long. */
const NOTED = 1_024;

export interface RelayDeps {
  readonly db: DatabaseSync;
  readonly store: EventStore;
  readonly queue: Queue;
  readonly log: Logger;
}

/**
 * Turns each published event into one queue message for every webhook that is live at its place in the log. What was published before its table
 * was made it leaves to the sweeper, which knows what of it is still to be delivered.
 */
export function createRelay({ db, store, queue, log }: RelayDeps) {
  const registry = openRegistry(db);
  let reading = registry.position();

  /** What is on the queue before there is a table is of another time: the sweeper puts what is pending of it there anew, and it would be there twice. */
  async function skippedTo(): Promise<number> {
    const known = registry.skipped();
    if (known) return known.to;
    if ((await queue.state()).lastSequence > 0) await queue.empty();
    const skipped = { to: await store.lastPosition(), on: (await queue.state()).incarnation };
    registry.setSkipped(skipped);
    return skipped.to;
  }

  const service: Service = createLoop('relay', log, async (signal, working) => {
    await queue.ensure();
    const publisher = createPublisher(queue, log, signal);
    const skipTo = await skippedTo();
    for await (const batch of store.follow({ after: registry.position(), prefixes: RELAYED_STREAMS, signal })) {
      reading = batch.position;
      await relayBatch(registry, publisher, batch, skipTo);
      working();
    }
  });
  return {
    ...service,
    registry,
    /** The furthest place in the log whose messages may have been put on the queue, committed or not. */
    reading: (): number => reading,
  };
}

async function relayBatch(
  registry: Registry,
  publisher: Publisher,
  { facts, position }: LogBatch,
  skipTo: number,
): Promise<void> {
  let messages = 0;
  registry.begin();
  try {
    for (const fact of facts) {
      registry.apply(fact);
      if (fact.type !== 'EventPublished' || fact.position <= skipTo) continue;
      const { id: event_id, channel_id } = fact.data;
      for (const webhook_id of registry.webhookIds(channel_id)) {
        await publisher.add({ event_id, webhook_id, position: fact.position }, `${event_id}-${webhook_id}`);
        messages += 1;
      }
      if (messages < NOTED) continue;
      registry.commit(fact.position, await publisher.flush());
      registry.begin();
      messages = 0;
    }
    registry.commit(position, await publisher.flush());
  } catch (error) {
    registry.rollback();
    throw error;
  }
}
