import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { pino } from 'pino';
import { stream } from '../../../domain/facts.ts';
import type { EventStore } from '../../../infra/event-store/client.ts';
import { type Child, createChild } from '../../../infra/local/child.ts';
import { createPort, freePort } from '../../../infra/local/free-port.ts';
import { natsServer } from '../../../infra/local/nats-server.ts';
import { connectQueue, type Queue } from '../../../infra/queue/client.ts';
import { decodeMessage } from '../../../infra/queue/message.ts';
import { createProgress } from '../../../projections/progress.ts';
import { createReadModels, readModels, readModelWriter } from '../../../projections/read-models.ts';
import { openRegistry } from '../../../services/relay/registry.ts';
import { createSweeper } from '../../../services/relay/sweeper.ts';
import { type Broker, openBroker } from '../../support/broker.ts';
import { AT_MS, CHANNEL_ID, EVENT_ID, published, recorded, webhookCreated } from '../../support/sample.ts';
import { newDataDir } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: a broker that still has messages and never hands them out again (as after a full disk) does not hide that their deliveries are
 * lost: the sweeper puts them on the queue anew.
 */
describe('messages that the broker has forgotten to hand out', () => {
  const WEBHOOKS = [1, 2, 3];
  const log = pino({ level: 'silent' });
  let server: Child;
  let queue: Queue;
  let broker: Broker;

  before(async () => {
    const port = createPort(() => freePort('127.0.0.1'));
    server = createChild(natsServer(newDataDir(), port), { say: () => {}, changed: () => {} });
    await server.start();
    const url = `nats://127.0.0.1:${port.current()}`;
    queue = await connectQueue(url, { ackWaitMs: 10_000, log });
    broker = await openBroker(url);
  });
  after(async () => {
    await queue?.close();
    await broker?.close();
    await server?.stop(5_000);
  });

  it('are put on the queue again', async () => {
    await queue.ensure();
    const { position, sweeper } = await createOverdue();
    const abort = new AbortController();
    const taken: number[] = [];
    const taking = take(abort.signal, taken);
    await broker.deliverAtMost(1);
    for (const webhook_id of WEBHOOKS) {
      await queue.publish({ event_id: EVENT_ID, webhook_id, position }, `${webhook_id}`);
    }
    await waitFor('their only delivery', () => taken.length === WEBHOOKS.length);
    await waitFor('messages that nobody is going to get', broker.toCome, (messages) => messages === 0);
    expect(await broker.messages()).to.equal(WEBHOOKS.length);

    await sweeper.start();
    const isAll = () => taken.length >= 2 * WEBHOOKS.length;
    await waitFor('them all once more', isAll, undefined, 20_000).finally(sweeper.stop);
    expect(taken).to.have.members([...WEBHOOKS, ...WEBHOOKS]);
    abort.abort();
    await taking;
  });

  /** Gives back all that it gets. */
  async function take(signal: AbortSignal, taken: number[]) {
    for await (const message of queue.consume(256, signal)) {
      taken.push(decodeMessage(message.data).webhook_id);
      message.nak();
    }
  }

  /** Read models in which deliveries to all webhooks have long been due, and a sweeper between them and the queue, which it knows. */
  async function createOverdue() {
    const db = new DatabaseSync(':memory:');
    createReadModels(db);
    const facts = recorded(...WEBHOOKS.map((id) => [stream.webhook(id), webhookCreated({ id })] as const), [
      stream.events(CHANNEL_ID),
      published(),
    ]);
    const position = facts.at(-1)?.position ?? -1;
    readModelWriter(db).apply(facts, position);
    const models = readModels(db);
    const registry = openRegistry(new DatabaseSync(':memory:'));
    const { incarnation, lastSequence } = await queue.state();
    registry.setBroker({ incarnation, last_sequence: lastSequence });
    const sweeper = createSweeper({
      store: { lastPosition: async () => position } as Partial<EventStore> as EventStore,
      // It would mend what was done to the consumer.
      queue: { ...queue, ensure: async () => {} },
      ...{
        readModels: models,
        progress: createProgress(models.position),
        relay: { registry, reading: () => position },
      },
      ...{ log, nowMs: () => AT_MS + 60_000, marginMs: 1_000 },
    });
    return { position, sweeper };
  }
});
