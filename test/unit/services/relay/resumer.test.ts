import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { pino } from 'pino';
import { stream } from '../../../../domain/facts.ts';
import { createReadModels, readModels, readModelWriter } from '../../../../projections/read-models.ts';
import { createResumer, type Resumer, type ResumerDeps } from '../../../../services/relay/resumer.ts';
import { leading } from '../../../support/leading.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_ID,
  createLog,
  DELIVERED,
  HOUR_MS,
  iso,
  published,
  WEBHOOK_PAUSED,
  webhookCreated,
  webhookResumed,
} from '../../../support/sample.ts';
import { waitFor } from '../../../support/wait.ts';

const WEBHOOKS = [1, 2];
const EVENTS = 450;

describe('the resumer', () => {
  let log: ReturnType<typeof createLog>;
  let db: DatabaseSync;
  let messages: { event_id: number; webhook_id: number; position: number; id: string }[];
  let untaken: number;
  let asked: number;
  let start: () => Resumer;
  let resumer: Resumer;

  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    createReadModels(db);
    const models = readModels(db);
    log = createLog();
    messages = [];
    untaken = 0;
    asked = 0;
    const queue = {
      state: async () => {
        asked += 1;
        return { untaken };
      },
      publish: async (message: object, id: string) => messages.push({ ...message, id } as (typeof messages)[number]),
    };
    start = () =>
      createResumer({
        ...{ queue, readModels: models, log: pino({ enabled: false }), lookMs: 1 },
        progress: { reached: models.position },
        relay: { whenLeading: async (signal: AbortSignal) => leading(signal) },
      } as unknown as ResumerDeps);
    resumer = start();
    for (const id of WEBHOOKS) {
      log.add(stream.webhook(id), webhookCreated({ id }));
      log.add(stream.webhook(id), WEBHOOK_PAUSED);
    }
    for (let id = 1; id <= EVENTS; id++) log.add(stream.events(CHANNEL_ID), published({ id }));
  });
  afterEach(async () => {
    await resumer.stop();
    db.close();
  });

  const project = () => readModelWriter(db).apply(log.facts, log.facts.at(-1)?.position ?? -1);
  const resume = (id: number, atMs?: number) => {
    log.add(stream.webhook(id), webhookResumed(atMs));
    project();
  };
  const attempt = (event_id: number, webhook_id: number, part: object = DELIVERED) =>
    log.add(stream.deliveries(CHANNEL_ID), attempted({ event_id, webhook_id, webhook_revision: 2, ...part }));
  const queued = (webhook: number) =>
    messages.filter(({ webhook_id }) => webhook_id === webhook).map(({ event_id }) => event_id);
  /** What is queued for a webhook is delivered, until nothing more comes. */
  const whenAllAreDelivered = (webhook: number) => {
    let delivered = 0;
    return waitFor('all of it', () => {
      const ids = queued(webhook);
      for (const id of ids.slice(delivered)) attempt(id, webhook);
      delivered = ids.length;
      project();
      return delivered === EVENTS;
    });
  };

  it('queues nothing while a webhook is paused, and once it is resumed all of it, each once and in order', async () => {
    project();
    await resumer.start();
    resume(1);
    await whenAllAreDelivered(1);
    expect(queued(1)).to.deep.equal(Array.from({ length: EVENTS }, (_, n) => n + 1));
    expect(queued(2)).to.deep.equal([]);
    expect(new Set(messages.map(({ id }) => id)).size).to.equal(EVENTS);
    expect(resumer.ahead()).to.equal(0);
  });

  it('is no further ahead of the attempts than a little, for each webhook', async () => {
    resume(1);
    resume(2);
    await resumer.start();
    await waitFor('its limit', () => messages.length === 400);
    const before = asked;
    attempt(1, 1);
    project();
    expect([queued(1).length, queued(2).length]).to.deep.equal([200, 200]);
    expect(resumer.ahead()).to.equal(2 * (EVENTS - 200));
    for (let id = 2; id <= 100; id++) attempt(id, 1);
    project();
    await waitFor('a page more', () => queued(1).length === 300);
    expect(queued(2)).to.have.length(200);
    expect(asked - before).to.equal(1);
  });

  it('leaves what is live its place', async () => {
    untaken = 201;
    resume(1);
    await resumer.start();
    await waitFor('questions', () => asked > 2);
    expect(messages).to.deep.equal([]);
    untaken = 200;
    await waitFor('the first', () => messages.length > 0);
  });

  it('says what the worker must know, at the least that it was resumed', async () => {
    resume(1);
    await resumer.start();
    await waitFor('the first', () => messages.length >= 200);
    const position = log.facts.at(-1)?.position;
    expect(new Set(messages.map((message) => message.position))).to.deep.equal(new Set([position]));
  });

  it('begins anew with what is resumed once more', async () => {
    resume(1);
    await resumer.start();
    await waitFor('its limit', () => messages.length === 200);
    log.add(stream.webhook(1), WEBHOOK_PAUSED);
    attempt(1, 1);
    resume(1, AT_MS + 2 * HOUR_MS);
    await waitFor('its limit', () => messages.length === 400);
    expect(queued(1).slice(200)).to.deep.equal(Array.from({ length: 200 }, (_, n) => n + 2));
    expect(new Set(messages.map(({ id }) => id)).size).to.equal(400);
  });

  it('goes on with what is not attempted where the one before is gone, under the same ids: a broker recognises what it has', async () => {
    resume(1);
    await resumer.start();
    await waitFor('its limit', () => messages.length === 200);
    await resumer.stop();
    for (let id = 1; id <= 50; id++) attempt(id, 1);
    project();
    const before = messages.splice(0).map(({ id }) => id);
    resumer = start();
    await resumer.start();
    await waitFor('its limit', () => messages.length === 200);
    expect(messages.slice(0, 150).map(({ id }) => id)).to.deep.equal(before.slice(50));
  });

  it('leaves what was attempted since to the queue', async () => {
    resume(1);
    attempt(1, 1, { next_attempt_at: iso(AT_MS + 3 * HOUR_MS) });
    project();
    await resumer.start();
    await waitFor('its limit', () => messages.length === 200);
    expect(queued(1)[0]).to.equal(2);
  });
});
