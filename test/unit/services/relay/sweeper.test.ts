import { expect } from 'chai';
import { pino } from 'pino';
import { createSweeper, type SweeperDeps } from '../../../../services/relay/sweeper.ts';
import { leading } from '../../../support/leading.ts';
import { waitFor } from '../../../support/wait.ts';

const KNOWN = 'known';

describe('the sweeper', () => {
  let ids: string[];
  let swept: number;
  let asked: number;
  let renewals: number;
  let queueState: Record<string, unknown>;
  let pending: { event_id: number; webhook_id: number; position: number; due_ms: number }[];
  let relayedTo: number;
  let skippedTo: number | undefined;
  let known: string;
  let ahead: number;
  let server: string;
  let sweeper: ReturnType<typeof createSweeper>;

  beforeEach(async () => {
    ids = [];
    swept = 0;
    asked = 0;
    renewals = 0;
    queueState = {
      incarnation: KNOWN,
      server: 'S',
      lastSequence: 0,
      messages: 0,
      stuck: 0,
      lagMs: 0,
      untaken: 0,
      handedOut: 0,
      isAsked: true,
    };
    pending = [{ event_id: 1, webhook_id: 2, position: 3, due_ms: 4 }];
    relayedTo = 3;
    skippedTo = 3;
    known = KNOWN;
    server = 'S';
    ahead = 0;
    let nowMs = 0;
    const queue = {
      ensure: async () => {},
      renewConsumers: async () => {
        renewals += 1;
      },
      identity: async () => {
        swept += 1;
        return { ...queueState };
      },
      state: async () => {
        asked += 1;
        return { ...queueState };
      },
      publish: async (_message: unknown, id: string) => ids.push(id),
    };
    const registry = {
      position: () => relayedTo,
      skipped: () => (skippedTo === undefined ? undefined : { to: skippedTo, on: KNOWN }),
      broker: () => ({ incarnation: known, last_sequence: 0, server }),
      setServer: (started: string) => {
        server = started;
      },
      setBroker: () => {},
    };
    const page = (beforeMs: number, { after, limit }: { after?: { event_id: number }; limit: number }) =>
      pending.filter(({ event_id, due_ms }) => due_ms < beforeMs && event_id > (after?.event_id ?? 0)).slice(0, limit);
    const countPending = (upTo: number) => pending.filter(({ position }) => position <= upTo).length;
    sweeper = createSweeper({
      ...{ queue, marginMs: 0, nowMs: () => ++nowMs, log: pino({ enabled: false }), sweepMs: 1 },
      store: { lastPosition: async () => 3 },
      progress: { whenProcessed: async () => true, current: () => 3, reached: () => 3 },
      relay: { registry, reading: () => relayedTo, whenLeading: async (signal: AbortSignal) => leading(signal) },
      resumer: { ahead: () => ahead },
      readModels: { deliveries: { pending: page, countPending } },
    } as unknown as SweeperDeps);
  });
  afterEach(() => sweeper.stop());

  const whenSwept = (times: number) => waitFor(`${times} sweeps`, () => swept >= times);
  const whenAsked = (times: number) => waitFor(`${times} questions`, () => asked >= times);

  it('queues what the queue has lost, under another id each time: a broker takes one that it has seen for a repetition', async () => {
    await sweeper.start();
    await waitFor('two times', () => ids.length >= 2);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it('queues everything on a queue that it does not know', async () => {
    queueState.incarnation = 'another';
    queueState.messages = 1;
    await sweeper.start();
    await waitFor('two times', () => ids.length >= 2);
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it('queues on the first queue that it gets to know only what the relay has skipped', async () => {
    known = '';
    skippedTo = 3;
    relayedTo = 4;
    pending.push({ event_id: 5, webhook_id: 2, position: 4, due_ms: 4 });
    await sweeper.start();
    await waitFor('two times', () => ids.length >= 2);
    expect(ids.filter((id) => id.startsWith('5-'))).to.deep.equal([]);
  });

  it('queues all that was relayed on the first queue that it gets to know where that is not the one that the relay began with', async () => {
    known = '';
    queueState.incarnation = 'another';
    relayedTo = 4;
    pending.push({ event_id: 5, webhook_id: 2, position: 4, due_ms: 4 });
    await sweeper.start();
    await waitFor('what was relayed', () => ids.some((id) => id.startsWith('5-')));
  });

  it('waits until the relay knows what it skips', async () => {
    known = '';
    skippedTo = undefined;
    await sweeper.start();
    await whenSwept(5);
    expect(ids).to.deep.equal([]);
    skippedTo = 3;
    await waitFor('what it has skipped', () => ids.length > 0);
  });

  it('queues no faster than workers take it', async () => {
    queueState.incarnation = 'another';
    queueState.untaken = 1_001;
    pending = Array.from({ length: 1_200 }, (_, n) => ({ event_id: n + 1, webhook_id: 2, position: 3, due_ms: 4 }));
    await sweeper.start();
    await whenAsked(5);
    expect(ids.length).to.equal(500);
    queueState.untaken = 1_000;
    await waitFor('all of them', () => ids.length >= 1_200);
  });

  it('queues nothing while the queue holds all that is pending', async () => {
    queueState.messages = 1;
    await sweeper.start();
    await whenAsked(10);
    expect(ids).to.deep.equal([]);
  });

  it('does not take for lost what the deliveries of resumed webhooks add that are not queued yet', async () => {
    ahead = 1;
    await sweeper.start();
    await whenAsked(10);
    expect(ids).to.deep.equal([]);
  });

  it('does not take what was not relayed when it asked the queue for lost', async () => {
    relayedTo = 2;
    await sweeper.start();
    await whenAsked(10);
    expect(ids).to.deep.equal([]);
  });

  it('makes the consumer anew where it hands out nothing although workers ask and something is overdue', async () => {
    queueState.messages = 1;
    await sweeper.start();
    await waitFor('another consumer', () => renewals > 0);
    expect(ids).to.deep.equal([]);
  });

  it('makes the consumer anew also where the oldest message is the one that it holds back: its age excuses nothing', async () => {
    Object.assign(queueState, { messages: 1, untaken: 1, handedOut: 7 });
    Object.defineProperty(queueState, 'lagMs', { enumerable: true, get: () => Number.MAX_SAFE_INTEGER });
    await sweeper.start();
    await waitFor('another consumer', () => renewals > 0);
  });

  it('makes the consumer anew, once, where the broker was started anew', async () => {
    queueState = { ...queueState, server: 'another', messages: 1, isAsked: false };
    await sweeper.start();
    await whenSwept(10);
    expect(renewals).to.equal(1);
  });

  for (const [why, change] of Object.entries({
    'messages are handed out': () => ({ handedOut: asked }),
    'messages are handed out that are older than what is overdue': () => ({ handedOut: asked, lagMs: 1_000_000 }),
    'nobody asks': () => ({ isAsked: false }),
  })) {
    it(`leaves the consumer alone while ${why}`, async () => {
      queueState.messages = 1;
      Object.defineProperties(queueState, {
        handedOut: { enumerable: true, get: () => ({ ...{ handedOut: 0 }, ...change() }).handedOut },
        lagMs: { enumerable: true, get: () => ({ ...{ lagMs: 0 }, ...change() }).lagMs },
        isAsked: { enumerable: true, get: () => ({ ...{ isAsked: true }, ...change() }).isAsked },
      });
      await sweeper.start();
      await whenAsked(10);
      expect(renewals).to.equal(0);
    });
  }

  it('makes the consumer anew where more messages are stuck than are to come', async () => {
    Object.assign(queueState, { messages: 1_500, stuck: 1_501 });
    pending = [];
    await sweeper.start();
    await waitFor('another consumer', () => renewals > 0);
  });

  it('bears with stuck messages that are few', async () => {
    Object.assign(queueState, { messages: 1_500, stuck: 1_500 });
    pending = [];
    await sweeper.start();
    await whenAsked(3);
    expect(renewals).to.equal(0);
  });

  it('seldom lets the queue count all that it holds where nothing is overdue', async () => {
    pending = [];
    await sweeper.start();
    await whenSwept(40);
    expect(asked).to.be.within(1, Math.ceil(swept / 10));
  });
});
