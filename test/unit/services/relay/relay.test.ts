import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { pino } from 'pino';
import { type RecordedFact, stream } from '../../../../domain/facts.ts';
import type { EventStore } from '../../../../infra/event-store/client.ts';
import type { Queue } from '../../../../infra/queue/client.ts';
import type { Taken } from '../../../../infra/queue/lease.ts';
import { decodeMessage, encodeMessage, type QueueMessage } from '../../../../infra/queue/message.ts';
import type { Leadership } from '../../../../services/relay/leadership.ts';
import { createRegistry, openRegistry, type RelayNote } from '../../../../services/relay/registry.ts';
import { createRelay } from '../../../../services/relay/relay.ts';
import { leading } from '../../../support/leading.ts';
import {
  CHANNEL_ID,
  type Place,
  published,
  recorded,
  redeliveryRequested,
  webhookCreated,
} from '../../../support/sample.ts';
import { waitFor } from '../../../support/wait.ts';

const WEBHOOK_ID = 7;
const webhook: Place = [stream.webhook(WEBHOOK_ID), webhookCreated({ id: WEBHOOK_ID })];
const event = (id: number): Place => [stream.events(CHANNEL_ID), published({ id })];

describe('the relay', () => {
  let db: DatabaseSync;
  let log: RecordedFact[];
  let queued: QueueMessage[];
  let ids: string[];
  /** How many messages there were before. */
  let onQueue: number;
  let whenPublishing: () => Promise<void>;
  /** Messages that were sent and not written to the broker, and how many were written at a time. */
  let unwritten: number;
  let writes: number[];
  /** What the last leader has noted; or that there still is one, and how far it has come. */
  let found: Partial<Taken<RelayNote>> | 'another leads';
  let noted: number;
  let ownNote: (() => RelayNote) | undefined;
  let relay: ReturnType<typeof createRelay>;

  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    createRegistry(db);
    log = [];
    queued = [];
    ids = [];
    onQueue = 0;
    found = {};
    noted = -1;
    ownNote = undefined;
    whenPublishing = async () => {};
    unwritten = 0;
    writes = [];
  });
  afterEach(async () => {
    await relay.stop();
    db.close();
  });

  const write = () => {
    writes.push(unwritten);
    unwritten = 0;
  };

  const head = () => log.at(-1)?.position ?? -1;

  /** Starts a relay that reads what is in the log. */
  async function start() {
    const store = {
      lastPosition: async () => head(),
      async *follow({ after, signal }: { after: number; signal: AbortSignal }) {
        let position = after;
        while (!signal.aborted) {
          const facts = log.filter((fact) => fact.position > position);
          position = head();
          if (facts.length > 0) yield { facts, position };
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    };
    const queue = {
      ensure: async () => {},
      state: async () => ({ incarnation: 'A', lastSequence: onQueue }),
      empty: async () => {
        onQueue = 0;
      },
      async publish(message: QueueMessage, id: string) {
        // As the client of NATS does: what is sent before this has its turn is one write.
        if (unwritten === 0) queueMicrotask(write);
        unwritten += 1;
        await whenPublishing();
        ids.push(id);
        return queued.push(decodeMessage(encodeMessage(message)));
      },
    };
    const leadership = {
      notedPosition: () => noted,
      isInStep: () => {},
      whenLeading: async (signal: AbortSignal) => {
        await waitFor('its turn to lead', () => signal.aborted || found !== 'another leads');
        signal.throwIfAborted();
        return { ...leading(signal), ...(found !== 'another leads' && found) };
      },
      setNote: (note: () => RelayNote) => {
        ownNote = note;
      },
    };
    relay = createRelay({
      ...{
        store: store as unknown as EventStore,
        queue: queue as unknown as Queue,
        leadership: leadership as Leadership,
      },
      ...{ registry: openRegistry(db), log: pino({ enabled: false }) },
    });
    await relay.start();
  }
  const whenRead = () => waitFor('the relay at the head of the log', () => relay.registry.position() === head());
  const eventIds = () => queued.map(({ event_id }) => event_id);

  it('puts a message on the queue for each webhook that is to get an event again, and one for a ping', async () => {
    const other: Place = [stream.webhook(8), webhookCreated({ id: 8 })];
    const EVENTS = stream.events(CHANNEL_ID);
    log = recorded(
      ...[webhook, other, event(1)],
      [EVENTS, redeliveryRequested({ id: 101, event_id: 1 })],
      [EVENTS, redeliveryRequested({ id: 102, event_id: 1, webhook_id: 8 })],
      [EVENTS, published({ id: 2, webhook_id: 8 })],
    );
    found = { found: { position: 0, incarnation: 'A', last_sequence: 0, server: '', skipped: { to: -1, on: 'A' } } };
    await start();
    await waitFor('all messages', () => queued.length === 6);
    const of = (position: number, event_id: number, ...ids: number[]) =>
      ids.map((webhook_id) => ({ event_id, webhook_id, position }));
    expect(queued).to.have.deep.members([...of(30, 1, 7, 8), ...of(40, 1, 7, 8), ...of(50, 1, 8), ...of(60, 2, 8)]);
    expect(new Set(ids)).to.have.property('size', 6);
  });

  it('queues what is published for the webhooks that live', async () => {
    await start();
    await waitFor('the decision about what to skip', () => relay.registry.skipped() !== undefined);
    log = recorded(webhook, event(1), event(2));
    await whenRead();
    expect(queued).to.deep.equal([
      { event_id: 1, webhook_id: WEBHOOK_ID, position: log[1]?.position },
      { event_id: 2, webhook_id: WEBHOOK_ID, position: log[2]?.position },
    ]);
  });

  it('writes all messages of what it has read to the broker in one go', async () => {
    const webhooks = [7, 8, 9].map((id): Place => [stream.webhook(id), webhookCreated({ id })]);
    log = recorded(...webhooks);
    await start();
    await whenRead();
    log = recorded(...webhooks, ...[1, 2, 3, 4].map(event));
    await whenRead();
    expect(writes).to.deep.equal([12]);
  });

  it('leaves to the sweeper what was published before its table was made, and notes how far that is', async () => {
    log = recorded(webhook, event(1), event(2));
    await start();
    await whenRead();
    expect(relay.registry.skipped()).to.deep.equal({ to: head(), on: 'A' });
    log = recorded(webhook, event(1), event(2), event(3));
    await whenRead();
    expect(eventIds()).to.deep.equal([3]);
  });

  it('empties the queue when its table is made, and only then', async () => {
    onQueue = 7;
    await start();
    await waitFor('the decision about what to skip', () => relay.registry.skipped() !== undefined);
    expect(onQueue).to.equal(0);
    await relay.stop();
    onQueue = 7;
    log = recorded(webhook, event(1));
    await start();
    await whenRead();
    expect(onQueue).to.equal(7);
  });

  it('notes where it is in the middle of what it reads, where that is much', async () => {
    const MANY = 1_024;
    const webhooks = Array.from(
      { length: MANY },
      (_, n): Place => [stream.webhook(n + 1), webhookCreated({ id: n + 1 })],
    );
    await start();
    await waitFor('the decision about what to skip', () => relay.registry.skipped() !== undefined);
    log = recorded(...webhooks, event(1), event(2));
    const held = Promise.withResolvers<void>();
    whenPublishing = async () => {
      if (queued.length >= MANY) await held.promise;
    };
    const first = log.at(-2)?.position;
    await waitFor('the place of the first event', () => relay.registry.position() === first);
    expect(queued).to.have.length(MANY);
    held.resolve();
    await whenRead();
    expect(queued).to.have.length(2 * MANY);
  });

  it('takes no sequence of a stream that is gone for one of the stream in its place', async () => {
    await start();
    await waitFor('the decision about what to skip', () => relay.registry.skipped() !== undefined);
    log = recorded(webhook, event(1), event(2));
    await whenRead();
    expect(relay.registry.broker().last_sequence).to.equal(2);
    queued.length = 0;
    relay.registry.setBroker({ incarnation: 'another', last_sequence: 0, server: 'S' });
    log = recorded(webhook, event(1), event(2), event(3));
    await whenRead();
    expect(relay.registry.broker().last_sequence).to.equal(1);
  });

  it('goes on from its table, also with what was published while it was away', async () => {
    log = recorded(webhook, event(1));
    await start();
    await whenRead();
    await relay.stop();
    log = recorded(webhook, event(1), event(2));
    await start();
    await whenRead();
    expect(eventIds()).to.deep.equal([2]);
  });

  const note = (position: number): RelayNote => ({
    ...{ position, skipped: { to: 0, on: 'A' }, incarnation: 'A', last_sequence: 5, server: 'S' },
  });

  it('keeps its table in step with another that leads, never ahead of it, and queues nothing', async () => {
    log = recorded(webhook, event(1), event(2));
    found = 'another leads';
    noted = log[1]?.position as number;
    await start();
    await waitFor('the place of the leader', () => relay.registry.position() === noted);
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(relay.registry.position()).to.equal(noted);
    noted = head();
    await whenRead();
    expect(queued).to.deep.equal([]);
    expect([...relay.registry.webhookIds(published().data, 1_000)]).to.deep.equal([WEBHOOK_ID]);
  });

  it('goes on behind what the last leader has noted, without emptying the queue, though its own table is new', async () => {
    log = recorded(webhook, event(1), event(2));
    onQueue = 7;
    found = { found: note(log[1]?.position as number), wasOurs: false };
    await start();
    await whenRead();
    expect(eventIds()).to.deep.equal([2]);
    expect(onQueue).to.equal(7);
    expect(relay.registry.skipped()).to.deep.equal({ to: 0, on: 'A' });
    expect(relay.registry.broker()).to.include({ incarnation: 'A', server: 'S' });
  });

  it('queues once more what it had queued itself beyond what another leader noted after it', async () => {
    await start();
    await waitFor('the decision about what to skip', () => relay.registry.skipped() !== undefined);
    log = recorded(webhook, event(1), event(2));
    await whenRead();
    await relay.stop();
    found = { found: note(log[1]?.position as number), wasOurs: false };
    await start();
    await waitFor('what is queued again', () => eventIds().length === 3);
    expect(eventIds()).to.deep.equal([1, 2, 2]);
  });

  it('trusts its own table where it was the last that led', async () => {
    await start();
    await waitFor('the decision about what to skip', () => relay.registry.skipped() !== undefined);
    log = recorded(webhook, event(1), event(2));
    await whenRead();
    await relay.stop();
    found = { found: note(log[0]?.position as number), wasOurs: true };
    log = recorded(webhook, event(1), event(2), event(3));
    await start();
    await whenRead();
    expect(eventIds()).to.deep.equal([1, 2, 3]);
  });

  it('takes no note of a relay that is beyond the end of the log for one of this log', async () => {
    log = recorded(webhook, event(1));
    found = { found: note(1_000_000), wasOurs: false };
    await start();
    await whenRead();
    expect(relay.registry.skipped()).to.deep.equal({ to: head(), on: 'A' });
  });

  it('notes no place before the one that it found, also while its table has yet to catch up', async () => {
    log = recorded(webhook, event(1), event(2));
    found = { found: note(log[1]?.position as number), wasOurs: false };
    const held = Promise.withResolvers<void>();
    whenPublishing = () => held.promise;
    await start();
    const { position } = (await waitFor('its own note', () => ownNote?.())) as RelayNote;
    expect(position).to.equal(log[1]?.position);
    expect(relay.registry.position()).to.be.below(position);
    held.resolve();
  });
});
