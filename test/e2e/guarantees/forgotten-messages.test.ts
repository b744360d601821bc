import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import type { JsMsg } from 'nats';
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
import { createRegistry, openRegistry } from '../../../services/relay/registry.ts';
import { createSweeper } from '../../../services/relay/sweeper.ts';
import { type Broker, openBroker } from '../../support/broker.ts';
import { leading } from '../../support/leading.ts';
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
    const { position, sweeper } = await createSweeperAt(AT_MS + 60_000);
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

  it('are got out by another consumer once they outnumber the others', async () => {
    const MANY = 1_001;
    const { sweeper } = await createSweeperAt(AT_MS);
    const taken: number[] = [];
    const taking = take(new AbortController().signal, taken);
    await waitFor('a worker that asks', async () => (await queue.state()).isAsked);
    await broker.deliverAtMost(1);
    for (let n = 0; n < MANY; n++) await queue.publish({ event_id: n, webhook_id: n, position: 0 }, `stuck-${n}`);
    await waitFor('their only delivery', () => taken.length === MANY);
    await waitFor('messages that nobody is going to get', broker.toCome, (messages) => messages === 0);

    await sweeper.start();
    // As it is where the consumer is gone.
    await taking;
    await sweeper.stop();
    const abort = new AbortController();
    const acknowledging = (async () => {
      for await (const message of queue.consume(256, abort.signal)) message.ack();
    })();
    await waitFor('an empty queue', broker.messages, (messages) => messages === 0);
    abort.abort();
    await acknowledging;
  });

  it('of a stream that is gone are not acknowledged in the place of others', async () => {
    await broker.deleteStream();
    const [old, abort] = await takeOne(1);
    await broker.deleteStream();
    const [young, abortToo] = await takeOne(2);
    expect(young.info.streamSequence).to.equal(old.info.streamSequence);
    await old.ackAck().catch(() => {});
    expect(await broker.messages()).to.equal(1);
    for (const taking of [abort, abortToo]) taking.abort();
  });

  /** Queues a message and takes it, and goes on holding it. */
  async function takeOne(event_id: number): Promise<[JsMsg, AbortController]> {
    const abort = new AbortController();
    const messages = queue.consume(1, abort.signal);
    await queue.ensure();
    await queue.publish({ event_id, webhook_id: 1, position: 0 }, `one-${event_id}`);
    const { value } = await messages.next();
    return [value, abort];
  }

  /** Gives back all that it gets. */
  async function take(signal: AbortSignal, taken: number[]) {
    for await (const message of queue.consume(256, signal)) {
      taken.push(decodeMessage(message.data).webhook_id);
      message.nak();
    }
  }

  /** Read models in which deliveries to all webhooks are due at AT_MS, and a sweeper, whose clock stands still, between them and the queue, which it knows. */
  async function createSweeperAt(nowMs: number) {
    const db = new DatabaseSync(':memory:');
    createReadModels(db);
    const facts = recorded(...WEBHOOKS.map((id) => [stream.webhook(id), webhookCreated({ id })] as const), [
      stream.events(CHANNEL_ID),
      published(),
    ]);
    const position = facts.at(-1)?.position ?? -1;
    readModelWriter(db).apply(facts, position);
    const models = readModels(db);
    const table = new DatabaseSync(':memory:');
    createRegistry(table);
    const registry = openRegistry(table);
    const { incarnation, lastSequence, server: startedAs } = await queue.state();
    registry.setBroker({ incarnation, last_sequence: lastSequence, server: startedAs });
    registry.begin();
    registry.commit(position, lastSequence);
    const sweeper = createSweeper({
      store: { lastPosition: async () => position } as Partial<EventStore> as EventStore,
      // It would mend what was done to the consumer.
      queue: { ...queue, ensure: async () => {} },
      ...{
        readModels: models,
        progress: createProgress(models.position),
        relay: { registry, reading: () => position, whenLeading: async (signal) => leading(signal) },
      },
      resumer: { ahead: () => 0 },
      ...{ log, nowMs: () => nowMs, marginMs: 1_000, sweepMs: 50 },
    });
    return { position, sweeper };
  }
});
