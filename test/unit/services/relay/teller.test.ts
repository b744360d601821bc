import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { pino } from 'pino';
import { type Fact, type NewFact, stream } from '../../../../domain/facts.ts';
import type { EventStore } from '../../../../infra/event-store/client.ts';
import type { Service } from '../../../../infra/lifecycle.ts';
import { createProgress } from '../../../../projections/progress.ts';
import { createReadModels, readModels, readModelWriter } from '../../../../projections/read-models.ts';
import { createTeller } from '../../../../services/relay/teller.ts';
import { leading } from '../../../support/leading.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_ID,
  channelCreated,
  createLog,
  published,
  webhookCreated,
} from '../../../support/sample.ts';
import { waitFor } from '../../../support/wait.ts';

const OPERATIONAL_ID = 2_002;
const RELAY = { whenLeading: async (signal: AbortSignal) => leading(signal) };

describe('the teller', () => {
  let db: DatabaseSync;
  let log: ReturnType<typeof createLog>;
  let tellers: Service[];
  let isAway: boolean;
  beforeEach(() => {
    isAway = false;
    tellers = [];
    db = new DatabaseSync(':memory:');
    createReadModels(db);
    log = createLog();
    log.add(stream.channel(CHANNEL_ID), channelCreated());
    log.add(stream.webhook(2_001), webhookCreated());
    log.add(stream.webhook(OPERATIONAL_ID), webhookCreated({ id: OPERATIONAL_ID, kind: 'operational' }));
    log.add(stream.events(CHANNEL_ID), published());
    log.add(stream.deliveries(CHANNEL_ID), attempted({ outcome: 'failed', next_attempt_at: null }));
  });
  afterEach(async () => {
    for (const teller of tellers) await teller.stop();
    db.close();
  });

  const project = () => readModelWriter(db).apply(log.facts, log.facts.at(-1)?.position ?? -1);
  const told = () => log.facts.filter(({ type, data }) => type === 'EventPublished' && 'kind' in data);

  async function start() {
    const models = readModels(db);
    const store: Pick<EventStore, 'append' | 'lastPosition'> = {
      lastPosition: async () => log.facts.at(-1)?.position ?? -1,
      async append(name, [fact]) {
        if (isAway) throw new Error('the store is away');
        const { metadata, id } = fact as NewFact;
        const { revision, position } = Object.assign(log.add(name, fact as Fact), { metadata, id });
        return { revision, position };
      },
    };
    const teller = createTeller({
      ...{ store, readModels: models, progress: createProgress(models.position), relay: RELAY },
      ...{ log: pino({ enabled: false }), nowMs: () => AT_MS },
    });
    await teller.start();
    tellers.push(teller);
  }

  it('publishes an event for each happening, which names its cause', async () => {
    project();
    await start();
    await waitFor('both', () => told().length === 2);
    const cause = log.facts.find(({ type }) => type === 'DeliveryAttempted')?.id;
    expect(told().map(({ metadata }) => metadata.$causationId)).to.deep.equal([cause, cause]);
    expect(told().map(({ stream }) => stream)).to.deep.equal(Array(2).fill(stream.events(CHANNEL_ID)));
  });

  it('makes one event of what two tell at the same time', async () => {
    project();
    await Promise.all([start(), start()]);
    await waitFor('all of it', () => told().length === 4);
    project();
    const { lists, deliveries, happenings } = readModels(db);
    const { items } = lists.events(CHANNEL_ID, { kind: 'operational' }, { limit: 10 });
    expect(items.map(({ event_name }) => event_name)).to.have.members(['delivery.failed', 'webhook.failing']);
    for (const { id } of items) expect(deliveries.notificationLog(id, { limit: 10 })).to.have.length(1);
    expect(happenings.untold(0, 10)).to.deep.equal([]);
    expect(new Set(told().map(({ id }) => id)).size, 'known to the store as the same').to.equal(2);
  });

  it('tells nothing before the read models hold what the log held', async () => {
    project();
    log.add(stream.events(CHANNEL_ID), published({ id: 9_000 }));
    await start();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told()).to.deep.equal([]);
    project();
    await waitFor('both', () => told().length === 2);
  });

  it('goes on where the store was away', async () => {
    project();
    isAway = true;
    await start();
    await new Promise((resolve) => setImmediate(resolve));
    isAway = false;
    await waitFor('both', () => told().length === 2);
  });
});
