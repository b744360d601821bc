import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { AckPolicy, connect, type JsMsg, RetentionPolicy } from 'nats';
import { pino } from 'pino';
import { type Child, createChild } from '../../../infra/local/child.ts';
import { createPort, freePort } from '../../../infra/local/free-port.ts';
import { natsServer } from '../../../infra/local/nats-server.ts';
import { connectQueue, type Queue } from '../../../infra/queue/client.ts';
import { decodeMessage, encodeMessage } from '../../../infra/queue/message.ts';
import { FORMER_SUBJECT, shardOf, subjectOfShard } from '../../../infra/queue/shards.ts';
import { slotAt, subjectOfSlot } from '../../../infra/queue/tiers.ts';
import { type Broker, openBroker } from '../../support/broker.ts';
import { newDataDir } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: what waits long for its retry waits in the slot of its time, apart from what is live; it is handed out when it is due, is there once, and is
 * lost by nothing that happens on its way there.
 */
describe('slots of long waits', () => {
  const TIERS = { slots: 4, slotMs: 3_600_000, longMs: 200 };
  const LONG_MS = 6 * 3_600_000;
  const log = pino({ level: 'silent' });
  const WEBHOOK_ID = 7;
  const DUE_SUBJECT = subjectOfShard(shardOf(WEBHOOK_ID));
  let url: string;
  let server: Child;
  let queue: Queue;
  let broker: Broker;
  let workers: { readonly abort: AbortController; readonly work: Promise<void> }[] = [];

  before(async () => {
    const port = createPort(() => freePort('127.0.0.1'));
    server = createChild(natsServer(newDataDir(), port), { say: () => {}, changed: () => {} });
    await server.start();
    url = `nats://127.0.0.1:${port.current()}`;
    queue = await connectQueue(url, { ackWaitMs: 10_000, log, tiers: TIERS });
    broker = await openBroker(url);
  });
  beforeEach(async () => {
    await queue.ensure();
    await broker.deleteStream();
    await queue.ensure();
  });
  afterEach(async () => {
    for (const { abort } of workers) abort.abort();
    for (const { work } of workers) await work;
    workers = [];
  });
  after(async () => {
    await queue?.close();
    await broker?.close();
    await server?.stop(5_000);
  });

  const message = (event_id: number) => ({ event_id, webhook_id: WEBHOOK_ID, position: 1 });
  const publish = (event_id: number, id = `${event_id}`) => queue.publish(message(event_id), id);
  const inFuture = (ms: number) => Date.now() + ms;
  const subjectOf = (dueMs: number) => subjectOfSlot(slotAt(dueMs, TIERS));
  const postpone = (handedOut: JsMsg, due_ms: number) =>
    queue.postpone(handedOut, { ...decodeMessage(handedOut.data), due_ms });
  const whenHeld = (expected: Record<string, number>) =>
    waitFor('what is held where', broker.toComeBySubject, (held) => isSame(held, expected));

  /** Does this with each message that is handed out, until the test ends. */
  function work(handle: (message: JsMsg) => unknown): Promise<void> {
    const abort = new AbortController();
    const working = (async () => {
      for await (const handedOut of queue.consume(256, abort.signal)) await handle(handedOut);
    })();
    workers.push({ abort, work: working.catch(() => {}) });
    return working;
  }

  it('hold what waits long, each the times of its own; what is live is apart', async () => {
    const dueMs = [1, 2, 3].map((hours) => inFuture(hours * 3_600_000));
    for (const event_id of dueMs.keys()) await publish(event_id);
    void work((handedOut) => postpone(handedOut, dueMs[decodeMessage(handedOut.data).event_id] as number));
    await whenHeld(Object.fromEntries(dueMs.map((ms) => [subjectOf(ms), 1])));
    expect(await queue.state()).to.include({ messages: 3, stuck: 0, lagMs: 0, isAsked: true });
    expect(await broker.messages()).to.equal(3);
  });

  it('hand out what waits there when its time has come', async () => {
    const dueMs = inFuture(1_000);
    let doneMs = 0;
    await publish(1);
    void work(async (handedOut) => {
      const { due_ms } = decodeMessage(handedOut.data);
      if (handedOut.subject === DUE_SUBJECT || Date.now() < dueMs) return postpone(handedOut, dueMs);
      expect([handedOut.subject, due_ms]).to.deep.equal([subjectOf(dueMs), dueMs]);
      doneMs = Date.now();
      handedOut.ack();
    });
    await whenHeld({ [subjectOf(dueMs)]: 1 });
    await waitFor('an empty queue', broker.messages, (messages) => messages === 0);
    expect(doneMs).to.be.at.least(dueMs);
  });

  it('are left alone by waits that are short', async () => {
    await publish(1);
    let comings = 0;
    void work((handedOut) => {
      comings += 1;
      return postpone(handedOut, inFuture(TIERS.longMs - 1));
    });
    await waitFor('it to come again', () => comings >= 3);
    expect(await broker.toComeBySubject()).to.deep.equal({ [DUE_SUBJECT]: 1 });
  });

  it('get a message once, though a worker dies before it has let go of where it was', async () => {
    const dueMs = inFuture(LONG_MS);
    await publish(1);
    let deaths = 0;
    void work(async (handedOut) => {
      const isDying = handedOut.subject === DUE_SUBJECT && deaths++ === 0;
      if (!isDying) return postpone(handedOut, dueMs);
      const dead = { subject: handedOut.subject, ack: () => {}, nak: () => {} } as unknown as JsMsg;
      await queue.postpone(dead, { ...message(1), due_ms: dueMs });
      handedOut.nak();
    });
    await waitFor('the first life', () => deaths > 1);
    await whenHeld({ [subjectOf(dueMs)]: 1 });
    expect(await broker.messages()).to.equal(1);
  });

  it('make one of a delivery that was queued twice', async () => {
    const dueMs = inFuture(LONG_MS);
    for (const id of ['one', 'other']) await publish(1, id);
    void work((handedOut) => postpone(handedOut, dueMs));
    await whenHeld({ [subjectOf(dueMs)]: 1 });
  });

  it('lose nothing that they do not take', async () => {
    await publish(1);
    await broker.keepAtMost(1);
    let postponed = 0;
    void work(async (handedOut) => {
      await postpone(handedOut, inFuture(LONG_MS));
      postponed += 1;
    });
    await waitFor('the refusal', () => postponed === 1);
    expect(await broker.toComeBySubject()).to.deep.equal({ [DUE_SUBJECT]: 1 });
  });

  it('neither hold up what is live, nor are held up by it', async () => {
    const MANY = 500;
    const dueMs = inFuture(LONG_MS);
    for (let id = 0; id < MANY; id++) await queue.publish(message(id), `retry-${id}`, dueMs);
    for (let id = 0; id < MANY; id++) await publish(id, `live-${id}`);
    const seen = new Map([DUE_SUBJECT, subjectOf(dueMs)].map((subject) => [subject, 0]));
    void work(async ({ subject }) => {
      seen.set(subject, (seen.get(subject) ?? 0) + 1);
      // Slower than messages come: both kinds are always there to be taken.
      await delay(1);
    });
    const [fewer, more] = await waitFor(
      'the end of either kind',
      () => [...seen.values()].toSorted((a, b) => a - b),
      ([, most]) => most === MANY,
    );
    expect(fewer).to.be.at.least((more as number) / 4);
  });

  it('are counted with what is live: what is forgotten, how long the oldest live one waits', async () => {
    const dueMs = inFuture(LONG_MS);
    await queue.publish(message(1), 'retry', dueMs);
    await publish(2);
    const { lagMs } = await waitFor('some lag', queue.state, (state) => state.lagMs > 50);
    expect(await queue.state()).to.include({ messages: 2, stuck: 0, handedOut: 0, isAsked: false });
    expect((await queue.state()).lagMs).to.be.within(lagMs, 60_000);

    void work((handedOut) => decodeMessage(handedOut.data).event_id === 3 && handedOut.nak());
    await waitFor('a worker that has them', queue.state, ({ handedOut }) => handedOut === 2);
    await broker.deliverAtMost(1);
    await queue.publish(message(3), 'forgotten', dueMs);
    const state = await waitFor('one that nobody is going to get', queue.state, ({ stuck }) => stuck === 1);
    expect(state).to.include({ messages: 2, handedOut: 3, lagMs: 0, isAsked: true });
  });

  it('are told of by the worker that takes them: how long the live ones waited', async () => {
    expect(() => queue.waits()).to.throw('no worker has told how long messages wait');
    await publish(1);
    const { lagMs } = await waitFor('some lag', queue.state, (state) => state.lagMs > 50);
    void work((message) => message.ack());
    const told = () => {
      try {
        return queue.waits().lagMs;
      } catch {
        return 0;
      }
    };
    expect(await waitFor('its word', told, (ms) => ms > 0)).to.be.within(lagMs, 60_000);
  });

  it('are emptied, also of what is handed out or waits; what comes then is taken', async () => {
    const taken: number[] = [];
    const abort = new AbortController();
    const work = (async () => {
      for await (const message of queue.consume(256, abort.signal)) {
        const { event_id } = decodeMessage(message.data);
        taken.push(event_id);
        if (event_id % 2 === 0) message.nak(60_000);
        else if (event_id > 100) message.ack();
      }
    })();
    workers.push({ abort, work });
    for (let event_id = 1; event_id <= 20; event_id++) {
      await queue.publish({ event_id, webhook_id: 1, position: 0 }, `emptied-${event_id}`);
    }
    await waitFor('all of them', () => taken.length === 20);
    await queue.empty();
    expect([await broker.messages(), await broker.toCome()]).to.deep.equal([0, 0]);
    for (let event_id = 101; event_id <= 119; event_id += 2) {
      await queue.publish({ event_id, webhook_id: 1, position: 0 }, `emptied-${event_id}`);
    }
    await waitFor('an empty queue', broker.messages, (messages) => messages === 0);
    expect(taken.slice(20)).to.deep.equal([101, 103, 105, 107, 109, 111, 113, 115, 117, 119]);
  });

  it('are made anew with all they hold', async () => {
    const dueMs = inFuture(LONG_MS);
    const taken: string[] = [];
    await queue.publish(message(1), 'retry', dueMs);
    const end = work((handedOut) => {
      taken.push(handedOut.subject);
      return postpone(handedOut, dueMs);
    });
    await waitFor('it to be taken', () => taken.length === 1);
    await queue.renewConsumers();
    await end;
    void work((handedOut) => {
      taken.push(handedOut.subject);
      return postpone(handedOut, dueMs);
    });
    await waitFor('it to be taken again', () => taken.length === 2);
    await whenHeld({ [subjectOf(dueMs)]: 1 });
  });

  it('are made anew again and again, while workers that lost them make them too', async () => {
    const taken = new Set<number>();
    let isOver = false;
    const worker = async () => {
      // A renewal may take from a worker what it was about to ask: it asks again.
      while (!isOver) {
        await work((handedOut) => {
          taken.add(decodeMessage(handedOut.data).event_id);
          handedOut.ack();
        }).catch(() => {});
      }
    };
    const working = [worker(), worker()];
    for (let round = 0; round < 50; round++) await queue.renewConsumers().catch(() => {});
    await queue.ensure();
    const ids = Array.from({ length: 20 }, (_, n) => n);
    for (const id of ids) await queue.publish(message(id), `${id}`, inFuture(id % 2 === 0 ? 0 : LONG_MS));
    await waitFor('every message', () => taken.size === ids.length);
    isOver = true;
    for (const { abort } of workers) abort.abort();
    await Promise.all(working);
  });

  it('end all work when one of them is gone; the next brings it back', async () => {
    const end = work(() => {});
    await waitFor('a worker that asks', async () => (await queue.state()).isAsked);
    const dueMs = inFuture(LONG_MS);
    await broker.deleteConsumer(subjectOf(dueMs));
    await end;
    const taken: string[] = [];
    void work((handedOut) => taken.push(handedOut.subject));
    await queue.publish(message(1), 'retry', dueMs);
    await waitFor('a message', () => taken.length > 0);
    expect(taken).to.deep.equal([subjectOf(dueMs)]);
  });

  it('take over what a queue of former versions holds: one consumer of all, on a stream without slots', async () => {
    const nc = await connect({ servers: url });
    const { streams, consumers } = await nc.jetstreamManager();
    await streams.delete('DELIVERIES');
    const retention = RetentionPolicy.Workqueue;
    const { created } = await streams.add({ name: 'DELIVERIES', subjects: [FORMER_SUBJECT], retention });
    const former = `delivery-${created.replace(/\D/g, '')}`;
    await consumers.add('DELIVERIES', { durable_name: former, ack_policy: AckPolicy.Explicit });
    const js = nc.jetstream();
    for (const id of [1, 2, 3]) await js.publish(FORMER_SUBJECT, encodeMessage(message(id)));
    // One waits for its retry, one is held by a worker that is gone, one was never handed out.
    const consumer = await js.consumers.get('DELIVERIES', former);
    (await consumer.next())?.nak(LONG_MS);
    await consumer.next();
    await nc.flush();

    const dueMs = inFuture(LONG_MS);
    void work((handedOut) => postpone(handedOut, dueMs));
    await whenHeld({ [subjectOf(dueMs)]: 3 });
    expect(await broker.messages()).to.equal(3);
    expect((await queue.state()).incarnation).to.equal(created);
    await nc.close();
  });

  it('and all other requests that were under way when the broker died are sent again once it is back', async () => {
    const pid = server.pid() as number;
    process.kill(pid, 'SIGSTOP');
    const published = publish(1);
    const state = queue.state();
    let answers = 0;
    for (const request of [published, state]) void request.then(() => answers++);
    process.kill(pid, 'SIGKILL');
    // Long before the time limit of what they had sent at first.
    await waitFor('answers', () => answers === 2, undefined, 4_000);
    await waitFor(
      'the one message',
      () => broker.messages().catch(notConnected),
      (messages) => messages === 1,
    );
  });
});

const isSame = (a: Record<string, number>, b: Record<string, number>): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

/** The broker's own connection may be a moment behind. */
const notConnected = (): undefined => undefined;
