import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { evolveChannel, NO_CHANNEL } from '../../../domain/channel.ts';
import { type RecordedFact, stream } from '../../../domain/facts.ts';
import { evolveWebhook, NO_WEBHOOK } from '../../../domain/webhook.ts';
import {
  createReadModels,
  PROJECTIONS,
  type ReadModels,
  readModels,
  readModelWriter,
} from '../../../projections/read-models.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_DELETED,
  CHANNEL_ID,
  channelCreated,
  channelUpdated,
  createLog,
  DELIVERED,
  EVENT_ID,
  eventsRecovered,
  HOUR_MS,
  iso,
  published,
  publisherKeyRotated,
  RECOVERY_ID,
  recorded,
  recoveryFinished,
  recoveryRequested,
  redeliveryRequested,
  signingSecretRotated,
  subscriberKeyRotated,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
  WEBHOOK_PAUSED,
  webhookCreated,
  webhookResumed,
  webhookUpdated,
} from '../../support/sample.ts';

const CHANNEL = stream.channel(CHANNEL_ID);
const WEBHOOK = stream.webhook(WEBHOOK_ID);
const EVENTS = stream.events(CHANNEL_ID);
const DELIVERIES = stream.deliveries(CHANNEL_ID);
const RECOVERY = stream.recovery(RECOVERY_ID);

const channelFacts = [channelCreated({ guid: 'mine' }), channelUpdated(), publisherKeyRotated()] as const;
const webhookFacts = [webhookCreated(), webhookUpdated(), subscriberKeyRotated(), signingSecretRotated()] as const;

/** A bit of everything. */
const LOG = recorded(
  ...channelFacts.map((fact) => [CHANNEL, fact] as const),
  ...webhookFacts.map((fact) => [WEBHOOK, fact] as const),
  [EVENTS, published()],
  [DELIVERIES, attempted()],
  [EVENTS, published({ id: EVENT_ID + 1 })],
  [DELIVERIES, attempted({ event_id: EVENT_ID + 1, ...DELIVERED })],
  [EVENTS, redeliveryRequested()],
  [RECOVERY, recoveryRequested()],
  [RECOVERY, eventsRecovered({ failed: [EVENT_ID + 1] })],
  [RECOVERY, recoveryFinished({ failed: 1 })],
);
const LAST = LOG.at(-1)?.position as number;
const LAST_OF_WEBHOOK = LOG.findLast(({ stream: name }) => name === WEBHOOK)?.position;

describe('read models', () => {
  let db: DatabaseSync;
  let models: ReadModels;
  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    createReadModels(db);
    models = readModels(db);
  });
  afterEach(() => db.close());

  const apply = (facts: readonly RecordedFact[], position = facts.at(-1)?.position ?? -1) =>
    readModelWriter(db).apply(facts, position);
  const applyAll = (...places: Parameters<typeof recorded>) => apply(recorded(...places));

  it('are made once: what is there stays', () => {
    apply(LOG);
    const before = dump(db);
    createReadModels(db);
    expect(dump(db)).to.deep.equal(before);
  });

  it('start before the first fact', () => {
    expect(models.position()).to.equal(-1);
    expect([models.channels, models.webhooks, models.events].map((of) => of.largestId())).to.deep.equal([0, 0, 0]);
  });

  it('hold what the folds return, and a webhook the revision of its settings', () => {
    apply(LOG);
    const channel = channelFacts.reduce(evolveChannel, NO_CHANNEL);
    const webhook = webhookFacts.reduce(evolveWebhook, NO_WEBHOOK);
    expect(models.channels.byId(CHANNEL_ID)).to.deep.equal(channel);
    expect(models.channels.byGuid('mine')).to.deep.equal(channel);
    const { revision, position, ...view } = models.webhooks.byId(WEBHOOK_ID) ?? {};
    expect(view).to.deep.equal(webhook);
    expect({ revision, position }).to.deep.equal({ revision: 3, position: LAST_OF_WEBHOOK });
    expect(models.events.byId(CHANNEL_ID, EVENT_ID)).to.deep.equal(published().data);
    expect(models.events.byId(CHANNEL_ID + 1, EVENT_ID)).to.equal(undefined);
    expect(JSON.parse(models.events.json(EVENT_ID) ?? '')).to.deep.equal(published().data);
    expect(models.deliveries.byId(EVENT_ID, WEBHOOK_ID)).to.deep.include({ status: 'pending' });
    expect(models.position()).to.equal(LAST);
  });

  it('know nothing of what is not there', () => {
    expect(models.channels.byId(1)).to.equal(undefined);
    expect(models.channels.byGuid('x')).to.equal(undefined);
    expect(models.webhooks.byId(1)).to.equal(undefined);
    expect(models.events.json(1)).to.equal(undefined);
    expect(models.deliveries.byId(1, 1)).to.equal(undefined);
  });

  it('say so where the disk is full, and go on where there is room again', () => {
    const large = recorded([EVENTS, published({ data: { large: 'x'.repeat(100_000) } })]);
    db.exec('PRAGMA max_page_count = 1');
    expect(() => apply(large)).to.throw('database or disk is full');
    expect(models.position()).to.equal(-1);
    db.exec('PRAGMA max_page_count = 1000');
    apply(large);
    expect(models.position()).to.equal(large[0]?.position);
  });

  it('count a fact once that is seen twice', () => {
    apply(LOG);
    const once = dump(db);
    apply(LOG);
    expect(dump(db)).to.deep.equal(once);
    for (const fact of LOG) {
      apply([fact]);
      expect(dump(db), fact.type).to.deep.equal(once);
    }
  });

  it('count a publication once that the log has twice', () => {
    const late = WEBHOOK_ID + 1;
    const places: Parameters<typeof recorded> = [
      ...([
        [CHANNEL, channelCreated()],
        [WEBHOOK, webhookCreated()],
        [EVENTS, published()],
      ] as const),
      ...([
        [stream.webhook(late), webhookCreated({ id: late })],
        [EVENTS, published()],
      ] as const),
    ];
    applyAll(...places);
    expect(models.deliveries.notificationLog(EVENT_ID, { limit: 10 })).to.have.length(1);
  });

  it('forget what was rolled back', () => {
    const { apply: applyTo } = readModelWriter(db);
    const created = recorded([CHANNEL, channelCreated()], [WEBHOOK, webhookCreated()], [EVENTS, published()]);
    const next = recorded([EVENTS, published({ id: EVENT_ID + 1 })]);
    const unstorable = recorded([EVENTS, published({ id: 'x' as unknown as number })]);
    expect(() => applyTo([...created, ...unstorable], 9)).to.throw();
    applyTo(next, 9);
    expect(models.deliveries.notificationLog(EVENT_ID + 1, { limit: 10 })).to.deep.equal([]);
  });

  it('let an event meet every webhook that was live at its place, of few and of many', () => {
    const hooks = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => [stream.webhook(from + i), webhookCreated({ id: from + i })] as const);
    const event = (id: number) => [EVENTS, published({ id })] as const;
    const deleted = [stream.webhook(3), WEBHOOK_DELETED] as const;
    applyAll(
      ...([[CHANNEL, channelCreated()], event(1), ...hooks(1, 3), event(2)] as const),
      ...([event(3), deleted, event(4), ...hooks(10, 600), event(5)] as const),
    );
    const met = [1, 2, 3, 4, 5].map((id) => models.deliveries.notificationLog(id, { limit: 1_000 }).length);
    expect(met).to.deep.equal([0, 3, 3, 2, 602]);
  });

  it('do not count as due what waits for a webhook to be resumed, and know what was resumed until it is attempted', () => {
    const [first, second, third] = [EVENT_ID, EVENT_ID + 1, EVENT_ID + 2];
    const event = (id: number) => [EVENTS, published({ id })] as const;
    const log = createLog();
    const go = (...places: Parameters<typeof recorded>) => {
      for (const place of places) log.add(...place);
      apply(log.facts);
    };
    const seen = () => ({
      due: models.deliveries.pending(Number.MAX_SAFE_INTEGER, { limit: 10 }).map(({ event_id }) => event_id),
      count: models.deliveries.countPending(),
      resumed: [...models.deliveries.resumedWebhooks()].flatMap((id) =>
        models.deliveries.resumed(id, 0, 10).map(({ event_id }) => event_id),
      ),
    });
    go(
      [CHANNEL, channelCreated()],
      [WEBHOOK, webhookCreated()],
      event(first),
      [WEBHOOK, WEBHOOK_PAUSED],
      event(second),
    );
    expect(seen()).to.deep.equal({ due: [], count: 0, resumed: [] });
    go([WEBHOOK, webhookResumed()], event(third));
    expect(seen()).to.deep.equal({ due: [third, first, second], count: 3, resumed: [first, second] });
    expect(models.deliveries.countResumed(WEBHOOK_ID, first)).to.equal(1);
    go([DELIVERIES, attempted({ webhook_revision: 2 })]);
    expect(seen()).to.deep.equal({ due: [third, first, second], count: 3, resumed: [second] });
    go([WEBHOOK, WEBHOOK_PAUSED]);
    expect(seen()).to.deep.equal({ due: [], count: 0, resumed: [] });
    go([CHANNEL, CHANNEL_DELETED]);
    const statuses = [first, second, third].map((id) => models.deliveries.byId(id, WEBHOOK_ID)?.status);
    expect(statuses).to.deep.equal(Array(3).fill('cancelled'));
  });

  describe('of the health of webhooks', () => {
    const OTHER = WEBHOOK_ID + 1;
    let log: ReturnType<typeof createLog>;
    beforeEach(() => {
      log = createLog();
      go(
        [CHANNEL, channelCreated()],
        [WEBHOOK, webhookCreated()],
        [stream.webhook(OTHER), webhookCreated({ id: OTHER })],
      );
    });
    const go = (...places: Parameters<typeof recorded>) => {
      for (const place of places) log.add(...place);
      apply(log.facts);
    };
    const fail = (hours: number, webhook_id = WEBHOOK_ID) =>
      [DELIVERIES, attempted({ webhook_id, at: iso(AT_MS + hours * HOUR_MS) })] as const;
    const succeed = [DELIVERIES, attempted(DELIVERED)] as const;
    const since = () => [WEBHOOK_ID, OTHER].map(models.health.failingSince);

    it('say since when one has failed, until it succeeds', () => {
      expect(since()).to.deep.equal([null, null]);
      go(fail(1), fail(2));
      expect(since()).to.deep.equal([iso(AT_MS + HOUR_MS), null]);
      go([DELIVERIES, attempted({ webhook_id: OTHER, outcome: 'failed', next_attempt_at: null })]);
      expect(since()).to.deep.equal([iso(AT_MS + HOUR_MS), iso(AT_MS)]);
      go(succeed);
      expect(since()).to.deep.equal([null, iso(AT_MS)]);
      go(fail(3));
      expect(since()).to.deep.equal([iso(AT_MS + 3 * HOUR_MS), iso(AT_MS)]);
    });

    it('write nothing while nothing changes', () => {
      go(fail(1));
      db.exec("CREATE TRIGGER written BEFORE INSERT ON failing BEGIN SELECT raise(ABORT, 'written'); END");
      db.exec("CREATE TRIGGER deleted BEFORE DELETE ON failing BEGIN SELECT raise(ABORT, 'deleted'); END");
      go(fail(2), [DELIVERIES, attempted({ webhook_id: OTHER, ...DELIVERED })]);
      expect(() => go(succeed)).to.throw('deleted');
    });

    it('end with the webhook, or its channel, also where an attempt comes behind that', () => {
      go(fail(1), fail(1, OTHER), [WEBHOOK, WEBHOOK_DELETED], fail(2));
      expect(since()).to.deep.equal([null, iso(AT_MS + HOUR_MS)]);
      go([CHANNEL, CHANNEL_DELETED], fail(2, OTHER));
      expect(since()).to.deep.equal([null, null]);
    });
  });

  it('are the same when they are rebuilt from zero, however the facts come in batches', () => {
    apply(LOG);
    const together = dump(db);
    const alone = new DatabaseSync(':memory:');
    createReadModels(alone);
    const writer = readModelWriter(alone);
    for (const fact of LOG) writer.apply([fact], fact.position);
    expect(dump(alone)).to.deep.equal(together);
  });

  it('are the same where a batch opens more deliveries than are held before they are written', () => {
    const ids = Array.from({ length: 10_001 }, (_, index) => EVENT_ID + index);
    const [first = 0, last = 0] = [ids[0], ids.at(-1)];
    const log = recorded(
      [CHANNEL, channelCreated()],
      [WEBHOOK, webhookCreated()],
      ...ids.map((id) => [EVENTS, published({ id })] as const),
      ...[first, last].map((event_id) => [DELIVERIES, attempted({ event_id, ...DELIVERED })] as const),
    );
    apply(log);
    const statusOf = (eventId: number) => models.deliveries.byId(eventId, WEBHOOK_ID)?.status;
    expect(models.deliveries.countPending()).to.equal(ids.length - 2);
    expect([first, first + 1, last - 1, last].map(statusOf)).to.deep.equal([
      ...['delivered', 'pending'],
      ...['pending', 'delivered'],
    ]);
    expect(models.deliveries.changedAt(first, WEBHOOK_ID)).to.deep.equal([log.at(-2)?.position]);
  });

  it('take batch and checkpoint together or not at all', () => {
    apply(LOG.slice(0, 3));
    const before = dump(db);
    const bad = { ...LOG.at(-2), data: { ...published().data, id: 'no id' } } as unknown as RecordedFact;
    expect(() => apply([...LOG.slice(3), bad], LAST)).to.throw();
    expect(dump(db)).to.deep.equal(before);
    apply(LOG.slice(3));
    expect(models.position()).to.equal(LAST);
  });

  it('leave the rest of a batch for another time where that is enough, with the checkpoint before it', () => {
    let asked = 0;
    const writer = readModelWriter(db);
    expect(writer.apply(LOG, LAST + 10, () => ++asked === 5)).to.equal(5);
    expect(models.position()).to.equal(LOG[4]?.position);
    expect(writer.apply(LOG.slice(5), LAST + 10)).to.equal(LOG.length - 5);
    expect(models.position()).to.equal(LAST + 10);
    const rows = dump(db);
    db.close();
    db = new DatabaseSync(':memory:');
    createReadModels(db);
    apply(LOG, LAST + 10);
    expect(rows).to.deep.equal(dump(db));
  });

  it('move the checkpoint past facts that were filtered out, and never back', () => {
    apply([], 100);
    expect(models.position()).to.equal(100);
    apply([], 50);
    expect(models.position()).to.equal(100);
  });

  it('have names of their own', () => {
    expect(new Set(PROJECTIONS.map(({ name }) => name)).size).to.equal(PROJECTIONS.length);
  });

  describe('channels', () => {
    it('free their guid when they are deleted', () => {
      const next = CHANNEL_ID + 1;
      applyAll(
        [CHANNEL, channelCreated({ guid: 'mine' })],
        [CHANNEL, CHANNEL_DELETED],
        [stream.channel(next), channelCreated({ id: next, guid: 'mine' })],
      );
      expect(models.channels.byId(CHANNEL_ID)).to.equal(undefined);
      expect(models.channels.byGuid('mine')?.id).to.equal(next);
      expect(models.channels.largestId()).to.equal(next);
    });

    it('come in pages, ids ascending, without the deleted ones', () => {
      const created = [1, 2, 3, 4, 5].map((id) => [stream.channel(id), channelCreated({ id })] as const);
      applyAll(...created, [stream.channel(2), CHANNEL_DELETED]);
      const first = models.channels.page({ limit: 2 });
      expect(first.map(({ id }) => id)).to.deep.equal([1, 3]);
      expect(models.channels.page({ after: 3, limit: 2 }).map(({ id }) => id)).to.deep.equal([4, 5]);
      expect(models.channels.page({ after: 5, limit: 2 })).to.deep.equal([]);
    });
  });

  describe('webhooks', () => {
    it('come in pages, ids ascending, of their channel, without the deleted ones', () => {
      const created = [1, 2, 3, 4].map((id) => [stream.webhook(id), webhookCreated({ id })] as const);
      const foreign = [stream.webhook(5), webhookCreated({ id: 5, channel_id: CHANNEL_ID + 1 })] as const;
      applyAll(...created, foreign, [stream.webhook(2), WEBHOOK_DELETED]);
      expect(models.webhooks.page(CHANNEL_ID, { limit: 2 }).map(({ id }) => id)).to.deep.equal([1, 3]);
      expect(models.webhooks.page(CHANNEL_ID, { after: 3, limit: 2 }).map(({ id }) => id)).to.deep.equal([4]);
      expect(models.webhooks.byId(2)).to.equal(undefined);
    });

    it('end with their channel, and nothing brings them back', () => {
      const late = WEBHOOK_ID + 1;
      applyAll(
        ...([
          [CHANNEL, channelCreated()],
          [WEBHOOK, webhookCreated()],
          [CHANNEL, CHANNEL_DELETED],
        ] as const),
        ...([
          [WEBHOOK, webhookUpdated()],
          [stream.webhook(late), webhookCreated({ id: late })],
        ] as const),
      );
      expect(models.webhooks.byId(WEBHOOK_ID)).to.equal(undefined);
      expect(models.webhooks.byId(late)).to.equal(undefined);
      expect(models.webhooks.page(CHANNEL_ID, { limit: 10 })).to.deep.equal([]);
    });
  });

  describe('deliveries', () => {
    /** More than one page of them, so that a page's end is crossed. */
    const MANY = 601;

    function manyEvents() {
      const log = createLog();
      log.add(CHANNEL, channelCreated());
      log.add(WEBHOOK, webhookCreated());
      log.add(stream.webhook(WEBHOOK_ID + 1), webhookCreated({ id: WEBHOOK_ID + 1 }));
      for (let id = 1; id <= MANY; id++) log.add(EVENTS, published({ id }));
      return log;
    }

    it('are opened for every webhook of the channel, also where there are many', () => {
      const log = createLog();
      for (let id = 1; id <= MANY; id++) log.add(stream.webhook(id), webhookCreated({ id }));
      log.add(EVENTS, published());
      apply(log.facts);
      expect(models.deliveries.countPending()).to.equal(MANY);
      const last = models.deliveries.notificationLog(EVENT_ID, { after: MANY - 1, limit: 10 });
      expect(last.map(({ webhook_id }) => webhook_id)).to.deep.equal([MANY]);
    });

    it('end with their webhook, all of them, and leave the others', () => {
      const log = manyEvents();
      log.add(WEBHOOK, WEBHOOK_DELETED);
      apply(log.facts);
      expect(models.deliveries.countPending()).to.equal(MANY);
      expect(models.deliveries.byId(MANY, WEBHOOK_ID)?.status).to.equal('cancelled');
      expect(models.deliveries.byId(MANY, WEBHOOK_ID + 1)?.status).to.equal('pending');
    });

    it('end with their channel, all of them', () => {
      const log = manyEvents();
      log.add(DELIVERIES, attempted({ event_id: 1, ...DELIVERED }));
      log.add(CHANNEL, CHANNEL_DELETED);
      apply(log.facts);
      expect(models.deliveries.countPending()).to.equal(0);
      expect(models.deliveries.byId(1, WEBHOOK_ID)?.status).to.equal('delivered');
      expect(models.deliveries.byId(MANY, WEBHOOK_ID + 1)?.status).to.equal('cancelled');
    });

    it('keep an attempt on what was cancelled, and stay cancelled', () => {
      const end = [WEBHOOK, WEBHOOK_DELETED] as const;
      applyAll([WEBHOOK, webhookCreated()], [EVENTS, published()], end, [DELIVERIES, attempted()]);
      const [entry] = models.deliveries.notificationLog(EVENT_ID, { limit: 10 });
      expect(entry?.status).to.equal('cancelled');
      expect(entry?.attempts).to.have.length(1);
      expect(models.deliveries.countPending()).to.equal(0);
    });

    it('are pending in the order in which they are due, a page at a time', () => {
      applyAll(
        ...([
          [WEBHOOK, webhookCreated()],
          [stream.webhook(1), webhookCreated({ id: 1 })],
        ] as const),
        ...([
          [EVENTS, published({ id: 1 })],
          [EVENTS, published({ id: 2 })],
        ] as const),
        [DELIVERIES, attempted({ event_id: 1 })],
      );
      const { deliveries } = models;
      const keys = (page: ReturnType<typeof deliveries.pending>) =>
        page.map(({ event_id, webhook_id, due_ms }) => [event_id, webhook_id, due_ms - AT_MS]);
      const first = deliveries.pending(Number.MAX_SAFE_INTEGER, { limit: 3 });
      expect(keys(first)).to.deep.equal([
        [1, 1, 0],
        [2, 1, 0],
        [2, WEBHOOK_ID, 0],
      ]);
      const rest = deliveries.pending(Number.MAX_SAFE_INTEGER, { after: first.at(-1), limit: 3 });
      expect(keys(rest)).to.deep.equal([[1, WEBHOOK_ID, HOUR_MS]]);
      expect(deliveries.pending(AT_MS + HOUR_MS, { limit: 9 })).to.have.length(3);
      expect(deliveries.pending(AT_MS, { limit: 9 })).to.deep.equal([]);
    });

    it('say where in the log the fact lies that put them on the queue: the publication, or the last redelivery', () => {
      const facts = recorded([WEBHOOK, webhookCreated()], [EVENTS, published()], [EVENTS, redeliveryRequested()]);
      for (const fact of facts.slice(1)) {
        apply([...facts.slice(0, 2), fact]);
        const [pending] = models.deliveries.pending(Number.MAX_SAFE_INTEGER, { limit: 1 });
        expect(pending?.position).to.equal(fact.position);
        expect(models.deliveries.countPending(fact.position - 1)).to.equal(0);
      }
    });
  });
});

/** All rows of all tables. */
function dump(db: DatabaseSync): Record<string, unknown[]> {
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return Object.fromEntries(tables.map(({ name }) => [name, db.prepare(`SELECT * FROM "${name}"`).all()]));
}
