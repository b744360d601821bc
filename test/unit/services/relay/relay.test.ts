import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { pino } from 'pino';
import { type RecordedFact, stream } from '../../../../domain/facts.ts';
import type { EventStore } from '../../../../infra/event-store/client.ts';
import type { Queue } from '../../../../infra/queue/client.ts';
import { decodeMessage, encodeMessage, type QueueMessage } from '../../../../infra/queue/message.ts';
import { createRegistry } from '../../../../services/relay/registry.ts';
import { createRelay } from '../../../../services/relay/relay.ts';
import { CHANNEL_ID, type Place, published, recorded, webhookCreated } from '../../../support/sample.ts';
import { waitFor } from '../../../support/wait.ts';

const WEBHOOK_ID = 7;
const webhook: Place = [stream.webhook(WEBHOOK_ID), webhookCreated({ id: WEBHOOK_ID })];
const event = (id: number): Place => [stream.events(CHANNEL_ID), published({ id })];

describe('the relay', () => {
  let db: DatabaseSync;
  let log: RecordedFact[];
  let queued: QueueMessage[];
  /** How many messages there were before. */
  let onQueue: number;
  let whenPublishing: () => Promise<void>;
  let relay: ReturnType<typeof createRelay>;

  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    createRegistry(db);
    log = [];
    queued = [];
    onQueue = 0;
    whenPublishing = async () => {};
  });
  afterEach(async () => {
    await relay.stop();
    db.close();
  });

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
      async publish(message: QueueMessage) {
        await whenPublishing();
        return queued.push(decodeMessage(encodeMessage(message)));
      },
    };
    relay = createRelay({
      ...{ db, store: store as unknown as EventStore, queue: queue as unknown as Queue },
      log: pino({ enabled: false }),
    });
    await relay.start();
  }
  const whenRead = () => waitFor('the relay at the head of the log', () => relay.registry.position() === head());
  const eventIds = () => queued.map(({ event_id }) => event_id);

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
});
