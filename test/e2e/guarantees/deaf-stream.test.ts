import { expect } from 'chai';
import { pino } from 'pino';
import { type Child, createChild } from '../../../infra/local/child.ts';
import { createPort, freePort } from '../../../infra/local/free-port.ts';
import { natsServer } from '../../../infra/local/nats-server.ts';
import { connectQueue, type Queue } from '../../../infra/queue/client.ts';
import { type Broker, openBroker } from '../../support/broker.ts';
import { newDataDir } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: a stream that nats-server has broken, in that it was deleted while others made it, is found and made anew: it tells of itself as if nothing were
 * wrong, and takes no message for as long as it is there.
 */
describe('a stream that takes no messages', function () {
  this.timeout(60_000);
  /** A broker that breaks streams does so in one of three cases. */
  const TRIES = 100;
  let server: Child;
  let queue: Queue;
  let broker: Broker;
  let other: Broker;

  before(async () => {
    const port = createPort(() => freePort('127.0.0.1'));
    server = createChild(natsServer(newDataDir(), port), { say: () => {}, changed: () => {} });
    await server.start();
    const url = `nats://127.0.0.1:${port.current()}`;
    queue = await connectQueue(url, { ackWaitMs: 10_000, log: pino({ level: 'silent' }) });
    broker = await openBroker(url);
    other = await openBroker(url);
  });
  after(async () => {
    await queue?.close();
    await broker?.close();
    await other?.close();
    await server?.stop(5_000);
  });

  it('is made anew', async function () {
    await broker.makeStream();
    await broker.publish();
    let isBroken = false;
    for (let tries = 0; tries < TRIES && !isBroken; tries++)
      isBroken = (await breakStream()) && (await broker.isThere());
    if (!isBroken) return this.skip();
    const message = { event_id: 1, webhook_id: 2, position: 3 };
    await waitFor('a queue that takes messages', async () => {
      await queue.ensure();
      return queue.publish(message, 'one').catch(() => false);
    });
    expect(await broker.messages()).to.equal(1);
  });

  /** Deletes the stream, which holds something, while another client makes it; whether what is there then takes no messages. */
  async function breakStream(): Promise<boolean> {
    let isOver = false;
    const making = (async () => {
      while (!isOver) await other.makeStream().catch(() => {});
    })();
    await broker.deleteStream().catch(() => {});
    await broker.makeStream().catch(() => {});
    isOver = true;
    await making;
    return !(await broker.publish().then(
      () => true,
      () => false,
    ));
  }
});
