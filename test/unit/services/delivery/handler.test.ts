import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { type Fact, type NewFact, stream } from '../../../../domain/facts.ts';
import { factId } from '../../../../domain/ids.ts';
import type { Appended, EventStore } from '../../../../infra/event-store/client.ts';
import { WrongRevision } from '../../../../infra/event-store/errors.ts';
import { createKeys, showSecret } from '../../../../infra/keys.ts';
import { createMetrics } from '../../../../infra/metrics/metrics.ts';
import { createOutbound, type Outbound } from '../../../../infra/outbound/post.ts';
import { sealHeaders } from '../../../../infra/sealed-headers.ts';
import { createProgress } from '../../../../projections/progress.ts';
import { createReadModels, readModels, readModelWriter } from '../../../../projections/read-models.ts';
import { createPoster } from '../../../../services/delivery/attempt.ts';
import { createAttemptFigures } from '../../../../services/delivery/attempt-figures.ts';
import { createAutoPause } from '../../../../services/delivery/auto-pause.ts';
import { createBodies } from '../../../../services/delivery/bodies.ts';
import { createHandler, type Handing } from '../../../../services/delivery/handler.ts';
import { createLanes } from '../../../../services/delivery/lanes.ts';
import { ANYWHERE } from '../../../support/destinations.ts';
import { type Hit, type Receiver, startReceiver } from '../../../support/receiver.ts';
import {
  attempted,
  CHANNEL_ID,
  createLog,
  DELIVERED,
  EVENT_ID,
  HOUR_MS,
  iso,
  published,
  redeliveryRequested,
  signingSecretRotated,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
  WEBHOOK_PAUSED,
  webhookCreated,
  webhookUpdated,
} from '../../../support/sample.ts';

const WEBHOOK = stream.webhook(WEBHOOK_ID);
const EVENTS = stream.events(CHANNEL_ID);
const DELIVERIES = stream.deliveries(CHANNEL_ID);
const PATIENCE_MS = 30;

const SILENT = pino({ level: 'silent' });
const keys = createKeys(['m'.repeat(32)]);

describe('delivery handler', () => {
  let receiver: Receiver;
  let outbound: Outbound;
  let db: DatabaseSync;
  let world: ReturnType<typeof createWorld>;
  before(async () => {
    receiver = await startReceiver();
    outbound = createOutbound({ timeoutMs: 10_000, destinations: ANYWHERE });
  });
  after(async () => {
    await outbound.close();
    await receiver.close();
  });
  beforeEach(() => {
    receiver.reset();
    db = new DatabaseSync(':memory:');
    world = createWorld();
    world.add(WEBHOOK, webhookCreated({ webhook_url: receiver.url('/hook') }, keys.madeWith));
    world.add(EVENTS, published({ published_at: iso(world.clock.nowMs) }));
    world.project();
  });
  afterEach(() => db.close());

  /** A log, the read models of it as far as the test lets them come, and the handler between them. */
  function createWorld() {
    createReadModels(db);
    const log = createLog();
    const models = readModels(db);
    const writer = readModelWriter(db);
    const clock = { nowMs: Date.now() };
    const add = (name: string, fact: Fact) => log.add(name, fact).position;
    const store = {
      async append(name: string, fact: Fact): Promise<Appended> {
        const { revision, position } = log.add(name, fact);
        return { revision, position };
      },
    };
    const pauses: NewFact[] = [];
    /** Takes what pauses webhooks, at the revision that is expected. */
    const pausing: Pick<EventStore, 'append'> = {
      async append(name, [fact], expected) {
        const last = log.facts.findLast((of) => of.stream === name)?.revision ?? -1;
        if (last !== expected) throw new WrongRevision(name, last);
        const { revision, position } = log.add(name, fact as Fact);
        pauses.push(fact as NewFact);
        return { revision, position };
      },
    };
    const handle = createHandler({
      readModels: models,
      progress: createProgress(models.position),
      lanes: createLanes(100, () => performance.now()),
      bodies: createBodies(models),
      post: createPoster({ outbound, keys }),
      isOurs: () => world.isOurs,
      head: async () => log.facts.at(-1)?.position ?? -1,
      append: (name, fact) => store.append(name, fact),
      autoPause: createAutoPause({ ...{ store: pausing, readModels: models, afterMs: 25 * HOUR_MS }, log: SILENT }),
      figures: createAttemptFigures(createMetrics()),
      beginSpan: () => undefined,
      policy: { retryIntervalMs: HOUR_MS, retryWindowMs: 24 * HOUR_MS, successStatus: '200' },
      patienceMs: PATIENCE_MS,
      nowMs: () => clock.nowMs,
      log: SILENT,
    });
    return {
      ...{ log, models, clock, store, add, pauses },
      /** Whether the webhook is one of those whose deliveries are made here. */
      isOurs: true,
      project: () => writer.apply(log.facts, log.facts.at(-1)?.position ?? -1),
      handle: (position = 20, due: { due_ms?: number } = {}, handing: Partial<Handing> = {}) =>
        handle(
          { event_id: EVENT_ID, webhook_id: WEBHOOK_ID, position, ...due },
          { isAgain: false, isHeld: () => true, ...handing },
        ),
      attempts: () => log.facts.filter(({ type }) => type === 'DeliveryAttempted'),
    };
  }

  /** The verdict on what is to wait so long, counted from now, and to be looked up where all that is in the log is known. */
  const waits = (ms: number) => ({ due_ms: world.clock.nowMs + ms, position: world.log.facts.at(-1)?.position });

  it('makes a redelivery at once, whatever the clock that stamped it says, and its retries go by its own window', async () => {
    await world.handle();
    const requested_at = iso(world.clock.nowMs + HOUR_MS);
    world.add(EVENTS, redeliveryRequested({ requested_at }));
    world.project();
    receiver.reply({ status: 500 });
    expect(await world.handle(world.log.facts.at(-1)?.position)).to.deep.equal(waits(HOUR_MS));
    world.project();
    expect(world.attempts().map(({ data }) => (data as { trigger?: string }).trigger)).to.deep.equal([
      ...['publish', 'redeliver'],
    ]);
    world.clock.nowMs += 24 * HOUR_MS;
    expect(await world.handle(), 'its window is open for an hour more').to.deep.equal(waits(HOUR_MS));
  });

  it('POSTs the event as it was published, and is done where the answer is 200', async () => {
    expect(await world.handle()).to.equal('done');
    const [hit] = receiver.hits;
    expect(hit).to.include({ method: 'POST', path: '/hook' });
    expect(JSON.parse(hit?.body.toString() ?? '')).to.deep.equal(
      published({ published_at: iso(world.clock.nowMs) }).data,
    );
    expect(hit?.headers).to.include({
      ...{ 'content-type': 'application/json', 'webhook-id': `msg_${EVENT_ID}_${WEBHOOK_ID}` },
    });
    const [fact] = world.attempts();
    expect(fact?.stream).to.equal(DELIVERIES);
    expect(fact?.data).to.deep.include({ status_code: 200, outcome: 'delivered', trigger: 'publish' });
  });

  it('comes back in an hour where it is not, and POSTs again then', async () => {
    receiver.reply({ status: 500, body: 'no' });
    expect(await world.handle()).to.deep.equal(waits(HOUR_MS));
    world.project();
    expect(world.models.deliveries.byId(EVENT_ID, WEBHOOK_ID)?.status).to.equal('pending');
    world.clock.nowMs += HOUR_MS;
    receiver.reply({});
    expect(await world.handle()).to.equal('done');
    expect(receiver.hits.map(({ headers }) => headers['webhook-id'])).to.deep.equal(
      Array(2).fill(`msg_${EVENT_ID}_${WEBHOOK_ID}`),
    );
    expect(world.attempts().map(({ data }) => (data as { trigger: string }).trigger)).to.deep.equal([
      'publish',
      'retry',
    ]);
  });

  it('is done with the last attempt of the window, whatever its answer', async () => {
    receiver.reply({ status: 500 });
    world.clock.nowMs += 24 * HOUR_MS;
    expect(await world.handle()).to.equal('done');
    expect(world.attempts()[0]?.data).to.include({ outcome: 'failed' });
  });

  for (const [what, name, fact] of [
    ['was delivered', DELIVERIES, attempted(DELIVERED)],
    ['has failed', DELIVERIES, attempted({ outcome: 'failed', next_attempt_at: null })],
    ['lost its webhook', WEBHOOK, WEBHOOK_DELETED],
    ['waits until its webhook is resumed', WEBHOOK, WEBHOOK_PAUSED],
  ] as const) {
    it(`is done without a POST where the delivery ${what}`, async () => {
      world.add(name, fact);
      world.project();
      expect(await world.handle()).to.equal('done');
      expect(receiver.hits).to.have.length(0);
    });
  }

  it('goes to the present URL', async () => {
    world.add(WEBHOOK, webhookUpdated({ webhook_url: receiver.url('/moved') }));
    world.project();
    await world.handle();
    expect(receiver.hits[0]?.path).to.equal('/moved');
    expect(world.attempts()[0]?.data).to.include({ webhook_url: receiver.url('/moved'), webhook_revision: 1 });
  });

  it('waits where the message comes before its time', async () => {
    world.add(DELIVERIES, attempted({ next_attempt_at: iso(world.clock.nowMs + 600_000) }));
    world.project();
    expect(await world.handle()).to.deep.equal(waits(600_000));
    expect(receiver.hits).to.have.length(0);
  });

  it('waits without looking anything up where the message says that it is early, and looks it up when its time has come', async () => {
    const due_ms = world.clock.nowMs + 600_000;
    expect(await world.handle(1_000, { due_ms })).to.deep.equal({ due_ms, position: 1_000 });
    world.clock.nowMs = due_ms;
    expect(await world.handle(20, { due_ms })).to.equal('done');
    expect(receiver.hits).to.have.length(1);
  });

  it('does not wait with the first attempt, though the gateway that stamped it be ahead of this clock', async () => {
    world.clock.nowMs -= HOUR_MS;
    expect(await world.handle()).to.equal('done');
  });

  it('waits where the read models are behind the publication', async () => {
    expect(await world.handle(1_000)).to.deep.equal({ againInMs: PATIENCE_MS });
    expect(receiver.hits).to.have.length(0);
  });

  it('POSTs once where two messages of a delivery come together', async () => {
    receiver.reply({ delayMs: 20 });
    const first = world.handle();
    await receiver.whenHits(1);
    expect(await world.handle()).to.deep.equal({ againInMs: PATIENCE_MS });
    expect(await first).to.equal('done');
    expect(receiver.hits).to.have.length(1);
  });

  it('POSTs once where two messages come one after the other, and the read models do not show the first attempt yet', async () => {
    receiver.reply({ status: 500 });
    await world.handle();
    expect(await world.handle()).to.deep.equal({ againInMs: PATIENCE_MS });
    world.project();
    const again = await world.handle();
    expect(again).to.deep.equal(waits(HOUR_MS));
    expect(receiver.hits).to.have.length(1);
  });

  it('POSTs once where the message was handed to another worker before, and the read models do not show its attempt yet', async () => {
    world.add(DELIVERIES, attempted(DELIVERED));
    expect(await world.handle(20, {}, { isAgain: true })).to.deep.equal({ againInMs: PATIENCE_MS });
    world.project();
    expect(await world.handle(20, {}, { isAgain: true })).to.equal('done');
    expect(receiver.hits).to.have.length(0);
  });

  it('leaves to others what is theirs, unless it is only to wait, and what they may have by now', async () => {
    expect(await world.handle(20, {}, { isHeld: () => false })).to.equal('lost');
    world.isOurs = false;
    expect(await world.handle()).to.equal('elsewhere');
    const due_ms = world.clock.nowMs + HOUR_MS;
    expect(await world.handle(20, { due_ms })).to.deep.equal({ due_ms, position: 20 });
    expect(receiver.hits).to.have.length(0);
  });

  it('lets a delivery be tried again where its attempt could not be recorded', async () => {
    const { append } = world.store;
    world.store.append = async () => {
      throw new Error('stopping');
    };
    const error = await world.handle().catch((error) => error);
    expect(error.message).to.equal('stopping');
    world.store.append = append;
    expect(await world.handle()).to.equal('done');
    expect(receiver.hits).to.have.length(2);
  });

  describe('where the webhook has failed for long', () => {
    beforeEach(() => receiver.reply({ status: 500 }));

    async function failTwice(hours: number) {
      await world.handle();
      world.project();
      world.clock.nowMs += hours * HOUR_MS;
      await world.handle();
    }

    it('pauses it, as the system, at the settings that the attempt was made with', async () => {
      const since = iso(world.clock.nowMs);
      await failTwice(25);
      const [{ type, data, metadata, id }] = world.pauses as [NewFact];
      expect({ type, data }).to.deep.equal({
        type: 'WebhookPaused',
        data: { reason: 'failing', failing_since: since },
      });
      expect(metadata).to.include({ by: 'system', $causationId: String(EVENT_ID) });
      expect(id).to.equal(factId('WebhookPaused', WEBHOOK_ID, 0));
      world.project();
      expect(await world.handle()).to.equal('done');
      expect(receiver.hits).to.have.length(2);
    });

    it('leaves it alone before that, or where it succeeds', async () => {
      await failTwice(2);
      expect(world.pauses).to.deep.equal([]);
      world.project();
      world.clock.nowMs += 25 * HOUR_MS;
      receiver.reply({});
      await world.handle();
      expect(world.pauses).to.deep.equal([]);
    });

    it('leaves it alone where somebody has just changed it', async () => {
      await world.handle();
      world.project();
      world.clock.nowMs += 25 * HOUR_MS;
      world.add(WEBHOOK, webhookUpdated());
      expect(await world.handle()).to.equal('done');
      expect(world.pauses).to.deep.equal([]);
    });
  });

  const verify = ({ body, headers }: Hit, version: number) =>
    new Webhook(showSecret(keys.signingSecret(WEBHOOK_ID, { version, made_with: keys.madeWith }))).verify(
      body.toString(),
      headers as Record<string, string>,
    );

  describe('signature', () => {
    const rotate = (previousUntilMs: number) => {
      world.add(
        WEBHOOK,
        signingSecretRotated({
          ...{ secret_version: 2, previous_until: iso(previousUntilMs), made_with: keys.madeWith },
        }),
      );
      world.project();
    };

    it("is the webhook's", async () => {
      await world.handle();
      const [hit] = receiver.hits as [Hit];
      verify(hit, 1);
      expect(() => verify(hit, 2)).to.throw();
    });

    it('is made with the old secret as well until that ends', async () => {
      rotate(world.clock.nowMs + 1);
      await world.handle();
      const [hit] = receiver.hits as [Hit];
      for (const version of [1, 2]) verify(hit, version);
    });

    it('is made with the new secret alone after that', async () => {
      rotate(world.clock.nowMs);
      await world.handle();
      const [hit] = receiver.hits as [Hit];
      verify(hit, 2);
      expect(() => verify(hit, 1)).to.throw();
    });

    it('is made with as many old secrets as have not ended', async () => {
      rotate(world.clock.nowMs + HOUR_MS);
      const later = iso(world.clock.nowMs + 24 * HOUR_MS);
      world.add(WEBHOOK, signingSecretRotated({ secret_version: 3, previous_until: later, made_with: keys.madeWith }));
      world.project();
      await world.handle();
      const [hit] = receiver.hits as [Hit];
      for (const version of [1, 2, 3]) verify(hit, version);
    });

    for (const [signatures, schemes] of [
      [['v1a'], ['v1a', 'v1a']],
      [
        ['v1', 'v1a'],
        ['v1', 'v1a', 'v1', 'v1a'],
      ],
    ] as const) {
      it(`is made as the webhook says: ${signatures.join(' and ')}, also with the old secret`, async () => {
        world.add(WEBHOOK, webhookUpdated({ signatures: [...signatures] }));
        rotate(world.clock.nowMs + 1);
        await world.handle();
        const [hit] = receiver.hits as [Hit];
        const sent = String(hit.headers['webhook-signature']).split(' ');
        expect(sent.map((signature) => signature.split(',')[0])).to.deep.equal(schemes);
      });
    }
  });

  describe('headers of the webhook', () => {
    const set = (headers: Record<string, string>) => {
      world.add(WEBHOOK, webhookUpdated({ headers: sealHeaders(keys, WEBHOOK_ID, headers) }));
      world.project();
    };

    it('go with the delivery, beside ours', async () => {
      set({ 'X-Api-Key': 'the key of the receiver', 'User-Agent': 'mine' });
      await world.handle();
      const [hit] = receiver.hits as [Hit];
      expect(hit.headers).to.include({
        ...{ 'x-api-key': 'the key of the receiver', 'user-agent': 'mine', 'content-type': 'application/json' },
      });
      verify(hit, 1);
    });

    it('are taken out of an answer that has them', async () => {
      set({ 'X-Api-Key': 'the key of the receiver' });
      receiver.reply({ status: 500, body: 'no entry with "the key of the receiver"' });
      await world.handle();
      expect(world.attempts()[0]?.data).to.include({ response_body: 'no entry with "[redacted]"' });
    });
  });
});
