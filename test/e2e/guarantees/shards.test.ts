import { expect } from 'chai';
import { AckPolicy, connect, type JsMsg, RetentionPolicy } from 'nats';
import { pino } from 'pino';
import { type Child, createChild } from '../../../infra/local/child.ts';
import { createPort, freePort } from '../../../infra/local/free-port.ts';
import { natsServer } from '../../../infra/local/nats-server.ts';
import { connectQueue, type Queue } from '../../../infra/queue/client.ts';
import { decodeMessage, encodeMessage } from '../../../infra/queue/message.ts';
import { FORMER_SUBJECT, shardOf, subjectOfShard } from '../../../infra/queue/shards.ts';
import type { Membership } from '../../../infra/queue/workers.ts';
import { type Broker, openBroker } from '../../support/broker.ts';
import { newDataDir } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: workers divide the webhooks among them, each message goes to the worker of its webhook, whatever subject it came from, and nothing is lost when
 * one comes or goes.
 */
describe('shards of webhooks', () => {
  const WEBHOOKS = Array.from({ length: 200 }, (_, n) => n + 1);
  const HOUR_MS = 3_600_000;
  const log = pino({ level: 'silent' });
  let url: string;
  let server: Child;
  let queue: Queue;
  let broker: Broker;
  let workers: { leave(): Promise<void> }[];

  before(async () => {
    const port = createPort(() => freePort('127.0.0.1'));
    server = createChild(natsServer(newDataDir(), port), { say: () => {}, changed: () => {} });
    await server.start();
    url = `nats://127.0.0.1:${port.current()}`;
    queue = await connectQueue(url, { ackWaitMs: 10_000, log });
    broker = await openBroker(url);
  });
  beforeEach(async () => {
    workers = [];
    await queue.ensure();
    await queue.empty();
  });
  afterEach(() => Promise.all(workers.map((worker) => worker.leave())));
  after(async () => {
    await queue?.close();
    await broker?.close();
    await server?.stop(5_000);
  });

  /** A worker that takes what is its own, passes on what is not, and notes the webhooks of what it took. */
  function startWorker() {
    const taken: number[] = [];
    const abort = new AbortController();
    const share: Membership = queue.join();
    const handle = async (message: JsMsg) => {
      const decoded = decodeMessage(message.data);
      if (!share.has(decoded.webhook_id)) return queue.passOn(message, decoded);
      taken.push(decoded.webhook_id);
      message.ack();
    };
    const working = (async () => {
      for await (const message of queue.consume(16, abort.signal, share)) await handle(message);
    })();
    const leave = async () => {
      share.leave();
      abort.abort();
      await working;
    };
    workers.push({ leave });
    return { taken, share, leave };
  }

  const publishAll = (round: string, dueMs = 0) =>
    Promise.all(
      WEBHOOKS.map((id) => queue.publish({ event_id: 1, webhook_id: id, position: 1 }, `${round}-${id}`, dueMs)),
    );
  const whenEmpty = () => waitFor('an empty queue', broker.messages, (messages) => messages === 0);
  const whenHalved = ({ share }: { share: Membership }) =>
    waitFor('half of the shards', () => share.shards().size === 8);

  it('go to the worker of each webhook, and to another when that one leaves', async () => {
    const one = startWorker();
    const other = startWorker();
    await Promise.all([one, other].map(whenHalved));
    await publishAll('first');
    await whenEmpty();
    expect([...one.taken, ...other.taken].toSorted((a, b) => a - b)).to.deep.equal(WEBHOOKS);
    expect(one.taken.filter((id) => !one.share.has(id))).to.deep.equal([]);
    expect(other.taken.filter((id) => !other.share.has(id))).to.deep.equal([]);

    await other.leave();
    await publishAll('second');
    await whenEmpty();
    expect(one.taken.length + other.taken.length).to.equal(2 * WEBHOOKS.length);
  });

  it('get what comes out of a slot at another worker', async () => {
    const one = startWorker();
    const other = startWorker();
    await Promise.all([one, other].map(whenHalved));
    await publishAll('retry', Date.now() + HOUR_MS);
    await whenEmpty();
    expect([...one.taken, ...other.taken].toSorted((a, b) => a - b)).to.deep.equal(WEBHOOKS);
    expect(one.taken.every(one.share.has) && other.taken.every(other.share.has)).to.equal(true);
  });

  it('take over what the last version has put on one subject for all, and what waits there', async () => {
    const nc = await connect({ servers: url });
    const { streams, consumers } = await nc.jetstreamManager();
    await streams.delete('DELIVERIES');
    const subjects = [FORMER_SUBJECT, 'deliveries.retry.*'];
    await streams.add({ name: 'DELIVERIES', subjects, retention: RetentionPolicy.Workqueue });
    const filter_subject = FORMER_SUBJECT;
    await consumers.add('DELIVERIES', { durable_name: 'former', filter_subject, ack_policy: AckPolicy.Explicit });
    const js = nc.jetstream();
    for (const id of WEBHOOKS) {
      await js.publish(FORMER_SUBJECT, encodeMessage({ event_id: 1, webhook_id: id, position: 1 }));
    }
    (await (await js.consumers.get('DELIVERIES', 'former')).next())?.nak(500);
    await nc.flush();
    await nc.close();

    const one = startWorker();
    const other = startWorker();
    await whenEmpty();
    expect([...one.taken, ...other.taken].toSorted((a, b) => a - b)).to.deep.equal(WEBHOOKS);
  });

  it('wait on a subject each', async () => {
    await publishAll('first');
    const expected: Record<string, number> = {};
    for (const id of WEBHOOKS) {
      const subject = subjectOfShard(shardOf(id));
      expected[subject] = (expected[subject] ?? 0) + 1;
    }
    expect(await broker.toComeBySubject()).to.deep.equal(expected);
  });
});
