import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import type { JsMsg } from 'nats';
import { pino } from 'pino';
import type { AttemptedDelivery } from '../../../../domain/delivery.ts';
import { type NewFact, stream } from '../../../../domain/facts.ts';
import type { EventStore } from '../../../../infra/event-store/client.ts';
import { StoreUnavailable } from '../../../../infra/event-store/errors.ts';
import { createKeys } from '../../../../infra/keys.ts';
import { createMetrics } from '../../../../infra/metrics/metrics.ts';
import type { Outbound } from '../../../../infra/outbound/post.ts';
import type { Queue } from '../../../../infra/queue/client.ts';
import { encodeMessage } from '../../../../infra/queue/message.ts';
import { WHOLE } from '../../../../infra/queue/workers.ts';
import { createProgress } from '../../../../projections/progress.ts';
import { createReadModels, readModels, readModelWriter } from '../../../../projections/read-models.ts';
import { createDelivery } from '../../../../services/delivery/delivery.ts';
import {
  answer,
  CHANNEL_ID,
  EVENT_ID,
  HOUR_MS,
  iso,
  published,
  recorded,
  webhookCreated,
} from '../../../support/sample.ts';
import { waitFor } from '../../../support/wait.ts';

type Append = EventStore['append'];

const APPENDED = { revision: 0, position: 0 };

const KEYS = createKeys(['m'.repeat(32)]);

describe('delivery', () => {
  let db: DatabaseSync;
  let stop: () => Promise<void>;
  beforeEach(() => {
    db = new DatabaseSync(':memory:');
  });
  afterEach(async () => {
    await stop();
    db.close();
  });

  /** Deliveries of one event to webhooks 1 to `webhooks`, all of which answer 200 at once, and a queue that holds what a test puts on it. */
  async function startDelivery(webhooks: number, append: Append) {
    const ids = Array.from({ length: webhooks }, (_, index) => index + 1);
    const queue = createQueue();
    const posts: string[] = [];
    const outbound: Outbound = {
      async post(url) {
        posts.push(url);
        return answer({ status_code: 200 });
      },
      close: async () => {},
    };
    createReadModels(db);
    const facts = recorded(...ids.map((id) => [stream.webhook(id), webhookCreated({ id }, KEYS.madeWith)] as const), [
      stream.events(CHANNEL_ID),
      published({ published_at: iso(Date.now()) }),
    ]);
    const position = facts.at(-1)?.position ?? -1;
    readModelWriter(db).apply(facts, position);
    const models = readModels(db);
    const delivery = createDelivery({
      ...{ store: { append } as EventStore, queue: queue as Partial<Queue> as Queue, outbound },
      ...{ readModels: models, progress: createProgress(models.position), keys: KEYS },
      policy: { retryIntervalMs: HOUR_MS, retryWindowMs: 24 * HOUR_MS, successStatus: '200' },
      ...{
        patienceMs: 1_000,
        ackWaitMs: 10_000,
        nowMs: Date.now,
        metrics: createMetrics(),
        log: pino({ level: 'silent' }),
      },
    });
    await delivery.start();
    stop = delivery.stop;
    const put = (webhook_id: number) => queue.put(encodeMessage({ event_id: EVENT_ID, webhook_id, position }));
    return { ids, posts, put, whenAcked: () => waitFor('acks', queue.acked, (acked) => acked === webhooks) };
  }

  it('begins no more POSTs while about 256 outcomes wait to be recorded, and the rest when they are', async () => {
    const back = Promise.withResolvers<void>();
    const { ids, posts, put, whenAcked } = await startDelivery(1_500, async () => {
      await back.promise;
      return APPENDED;
    });
    for (const id of ids) put(id);
    await waitFor('outcomes that wait', () => posts.length >= 256);
    // Nothing here takes time: what was to be begun without waiting for the store has been begun after so many turns.
    for (let turn = 0; turn < 2_000; turn++) await nextTurn();
    expect(posts.length).to.be.within(256, 512);

    back.resolve();
    await whenAcked();
    expect(new Set(posts).size).to.equal(ids.length);
    expect(posts).to.have.length(ids.length);
  });

  it('records each attempt once where it is not known what became of the first append', async () => {
    const log = createIdempotentLog();
    let appends = 0;
    let next = 1;
    const { ids, posts, put, whenAcked } = await startDelivery(3, async (_stream, facts) => {
      appends += 1;
      const isFirst = appends === 1;
      // More comes while each append is under way, and waits together with what is tried again after its first pause.
      if (next <= 3) put(next++);
      await delay(LONGER_THAN_A_PAUSE_MS);
      log.append(facts);
      if (isFirst) throw new StoreUnavailable(new Error('the answer was lost'));
      return APPENDED;
    });
    put(next++);
    await whenAcked();
    expect(log.webhooks()).to.have.members(ids);
    expect(posts).to.have.length(ids.length);
  });
});

const LONGER_THAN_A_PAUSE_MS = 150;

/** As the event store does it: a repeated append is recognised by the id of its first fact, any other is written as a whole. */
function createIdempotentLog() {
  const facts: NewFact[] = [];
  return {
    append(appended: readonly NewFact[]): void {
      if (!facts.some(({ id }) => id === appended[0]?.id)) facts.push(...appended);
    },
    webhooks: () => facts.map(({ data }) => (data as AttemptedDelivery).webhook_id),
  };
}

function createQueue() {
  const waiting: Uint8Array[] = [];
  let acked = 0;
  let wake = () => {};

  function put(data: Uint8Array): void {
    waiting.push(data);
    wake();
  }
  function message(data: Uint8Array): JsMsg {
    const settled = {
      ack: () => {
        acked += 1;
      },
      nak: (againInMs = 0) => void setTimeout(put, againInMs, data).unref(),
    };
    return { data, working: () => {}, ...settled } as Partial<JsMsg> as JsMsg;
  }
  return {
    put,
    acked: () => acked,
    isConnected: () => true,
    join: () => ({ ...WHOLE, leave: () => {} }),
    ensure: async () => {},
    async *consume(_maxMessages: number, signal: AbortSignal): AsyncGenerator<JsMsg> {
      while (!signal.aborted) {
        const data = waiting.shift();
        if (data) yield message(data);
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
            signal.addEventListener('abort', () => resolve(), { once: true });
          });
        }
      }
    },
  };
}
