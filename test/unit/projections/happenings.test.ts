import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { stream } from '../../../domain/facts.ts';
import { FAILING_TOLD_MS, tell } from '../../../domain/happening.ts';
import { createReadModels, readModels, readModelWriter } from '../../../projections/read-models.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_DELETED,
  CHANNEL_ID,
  channelCreated,
  createLog,
  DELIVERED,
  EVENT_ID,
  iso,
  metadata,
  published,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
  webhookCreated,
} from '../../support/sample.ts';

const OPERATIONAL_ID = WEBHOOK_ID + 1;
const AUTO_PAUSED = { type: 'WebhookPaused', data: { reason: 'failing', failing_since: iso(AT_MS) } } as const;
const GIVEN_UP = { outcome: 'failed', next_attempt_at: null } as const;
const DELIVERIES = stream.deliveries(CHANNEL_ID);

describe('what is yet to be told to operational webhooks', () => {
  let db: DatabaseSync;
  let log: ReturnType<typeof createLog>;

  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    createReadModels(db);
    log = createLog();
    log.add(stream.channel(CHANNEL_ID), channelCreated());
    log.add(stream.webhook(WEBHOOK_ID), webhookCreated());
    log.add(stream.webhook(OPERATIONAL_ID), webhookCreated({ id: OPERATIONAL_ID, kind: 'operational' }));
    log.add(stream.events(CHANNEL_ID), published());
  });
  afterEach(() => db.close());

  const project = () => readModelWriter(db).apply(log.facts, log.facts.at(-1)?.position ?? -1);
  const attempt = (part: Parameters<typeof attempted>[0] = {}) => log.add(DELIVERIES, attempted(part));
  const untold = () => {
    project();
    return readModels(db).happenings.untold(0, 100);
  };
  const names = () => untold().map(({ happening }) => happening.event_name);

  /** What the relay's teller appends. */
  function publishTold() {
    for (const { event_id, channel_id, cause, happening } of untold()) {
      const fact = log.add(stream.events(channel_id), tell(event_id, channel_id, happening, AT_MS));
      Object.assign(fact, { metadata: metadata({ $causationId: cause }) });
    }
  }

  it('is that a webhook has begun to fail, was paused for it, and that a delivery was given up', () => {
    attempt();
    log.add(stream.webhook(WEBHOOK_ID), AUTO_PAUSED);
    expect(names()).to.deep.equal(['webhook.failing', 'webhook.auto_paused']);
    log.add(stream.webhook(WEBHOOK_ID), { type: 'WebhookResumed', data: { at: iso(AT_MS) } });
    attempt({ ...GIVEN_UP, at: iso(AT_MS + 1), webhook_revision: 2 });
    expect(names()).to.deep.equal(['webhook.failing', 'webhook.auto_paused', 'delivery.failed']);
  });

  it('names the fact that made it happen, under ids that increase', () => {
    const cause = attempt(GIVEN_UP);
    const [failed, failing, ...others] = untold();
    expect(others).to.deep.equal([]);
    for (const each of [failed, failing]) expect(each).to.deep.include({ cause: cause.id, channel_id: CHANNEL_ID });
    expect([failed, failing].map((each) => each?.happening.event_name)).to.deep.equal([
      'delivery.failed',
      'webhook.failing',
    ]);
    expect(failing?.event_id).to.be.above(failed?.event_id ?? Number.MAX_SAFE_INTEGER);
  });

  it('is gone once the log has the event that tells of it, and comes back with no rebuild', () => {
    attempt();
    log.add(stream.webhook(WEBHOOK_ID), AUTO_PAUSED);
    publishTold();
    expect(untold()).to.deep.equal([]);
    using anew = new DatabaseSync(':memory:');
    createReadModels(anew);
    readModelWriter(anew).apply(log.facts, log.facts.at(-1)?.position ?? -1);
    expect(readModels(anew).happenings.untold(0, 100)).to.deep.equal([]);
  });

  it('has the same ids wherever and in whatever batches the log is read', () => {
    attempt();
    log.add(stream.webhook(WEBHOOK_ID), AUTO_PAUSED);
    using other = new DatabaseSync(':memory:');
    createReadModels(other);
    const writer = readModelWriter(other);
    for (const fact of log.facts) writer.apply([fact], fact.position);
    expect(readModels(other).happenings.untold(0, 100)).to.deep.equal(untold());
  });

  it('is delivered to operational webhooks alone, once, however often the log has it', () => {
    attempt();
    publishTold();
    const again = log.facts.at(-1);
    if (again) log.add(again.stream, again);
    project();
    const { events, deliveries, lists } = readModels(db);
    const [told] = lists.events(CHANNEL_ID, { kind: 'operational' }, { limit: 10 }).items;
    expect(told).to.deep.include({ event_name: 'webhook.failing', kind: 'operational' });
    expect(deliveries.notificationLog(told?.id ?? 0, { limit: 10 }).map(({ webhook_id }) => webhook_id)).to.deep.equal([
      OPERATIONAL_ID,
    ]);
    expect(deliveries.notificationLog(EVENT_ID, { limit: 10 }).map(({ webhook_id }) => webhook_id)).to.deep.equal([
      WEBHOOK_ID,
    ]);
    expect(lists.events(CHANNEL_ID, {}, { limit: 10 }).items.map(({ id }) => id)).to.deep.equal([EVENT_ID]);
    expect(events.byId(CHANNEL_ID, told?.id ?? 0)).to.deep.equal(told);
  });

  it('is nothing of what happens to an operational webhook', () => {
    attempt();
    publishTold();
    const [told] = readModels(db).lists.events(CHANNEL_ID, { kind: 'operational' }, { limit: 10 }).items;
    attempt({ event_id: told?.id ?? 0, webhook_id: OPERATIONAL_ID, ...GIVEN_UP });
    log.add(stream.webhook(OPERATIONAL_ID), AUTO_PAUSED);
    expect(untold()).to.deep.equal([]);
  });

  it('is nothing where the channel has no operational webhook at that place in the log', () => {
    log.add(stream.webhook(OPERATIONAL_ID), WEBHOOK_DELETED);
    attempt(GIVEN_UP);
    log.add(stream.webhook(OPERATIONAL_ID + 1), webhookCreated({ id: OPERATIONAL_ID + 1, kind: 'operational' }));
    expect(untold()).to.deep.equal([]);
  });

  it('goes with its channel', () => {
    attempt(GIVEN_UP);
    log.add(stream.channel(CHANNEL_ID), CHANNEL_DELETED);
    expect(untold()).to.deep.equal([]);
  });

  it('has a webhook that fails and succeeds in turns once an hour', () => {
    for (let nth = 0; nth < 3; nth++) {
      attempt({ at: iso(AT_MS + nth) });
      attempt({ ...DELIVERED, at: iso(AT_MS + nth) });
    }
    expect(names()).to.deep.equal(['webhook.failing']);
    const later = attempt({ at: iso(AT_MS + FAILING_TOLD_MS + 10) });
    Object.assign(later, { recordedAtMs: AT_MS + FAILING_TOLD_MS + 10 });
    expect(names()).to.deep.equal(['webhook.failing', 'webhook.failing']);
  });

  it('has a delivery that was given up once, whatever attempt was still under way', () => {
    attempt(GIVEN_UP);
    attempt(GIVEN_UP);
    expect(names().filter((name) => name === 'delivery.failed')).to.have.length(1);
  });
});
