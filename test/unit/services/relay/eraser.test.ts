import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { type Fact, stream } from '../../../../domain/facts.ts';
import { connectEventStore, type EventStore } from '../../../../infra/event-store/client.ts';
import type { Service } from '../../../../infra/lifecycle.ts';
import { startEventstore } from '../../../../infra/local/eventstore/eventstore.ts';
import { createLog } from '../../../../infra/log.ts';
import { createProgress } from '../../../../projections/progress.ts';
import { createReadModels, readModels } from '../../../../projections/read-models.ts';
import { createProjector } from '../../../../services/projector/projector.ts';
import { createEraser, type EraserDeps } from '../../../../services/relay/eraser.ts';
import { leading } from '../../../support/leading.ts';
import {
  attempted,
  CHANNEL_DELETED,
  CHANNEL_ID,
  channelCreated,
  DELIVERED,
  EVENT_ID,
  erasureRequested,
  eventsExpired,
  newFact,
  published,
  WEBHOOK_ID,
  webhookCreated,
} from '../../../support/sample.ts';
import { waitFor } from '../../../support/wait.ts';

const EVENTS = stream.events(CHANNEL_ID);
const log = createLog('test', 'silent');

describe('the eraser', () => {
  let dir: string;
  let eventstore: Awaited<ReturnType<typeof startEventstore>>;
  let store: EventStore;
  let db: DatabaseSync;
  let running: Service[];
  let count: number;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'eraser-'));
    eventstore = await startEventstore({ dataDir: dir, host: '127.0.0.1', port: 0, maxAppendSize: 1024 * 1024 });
    store = connectEventStore(`esdb://127.0.0.1:${eventstore.port}?tls=false`);
    db = new DatabaseSync(':memory:');
    createReadModels(db);
    running = [];
    count = 0;
    await append(stream.channel(CHANNEL_ID), channelCreated());
    await append(stream.webhook(WEBHOOK_ID), webhookCreated());
  });
  afterEach(async () => {
    for (const service of running.reverse()) await service.stop();
    db.close();
    await store.close();
    await eventstore.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  async function append(name: string, fact: Fact) {
    count += 1;
    await store.append(name, [newFact(fact, count)], 'any');
  }
  async function start(service: Service) {
    running.push(service);
    await service.start();
  }
  const projector = () => createProjector({ db, store, log });
  /** As if a head covered whatever is in the log, unless it is said. */
  function eraser(more: Partial<EraserDeps> = {}) {
    const models = readModels(db);
    const progress = createProgress(models.position);
    return createEraser({
      ...{ store, readModels: models, progress, log, nowMs: Date.now, retentionMs: 3_600_000 },
      tree: () => ({ indexOf: () => 0, lastHead: () => ({ tree_size: 1 }) as never }),
      relay: { whenLeading: async (signal) => leading(signal) },
      ...more,
    });
  }
  const revisionsOf = async (name: string) => (await store.read(name)).map(({ revision }) => revision);

  it('lets go what is over, and nothing while the read models are being made anew', async () => {
    await append(EVENTS, published());
    await append(stream.deliveries(CHANNEL_ID), attempted(DELIVERED));
    await append(stream.retention, eventsExpired(EVENT_ID + 1));
    const beforeWaiting = await store.lastPosition();
    await append(EVENTS, published({ id: EVENT_ID + 1 }));
    // They have come to where the first has expired, and know nothing of the second.
    const half = createProjector({ db, log, store: upTo(beforeWaiting) });
    await half.start();
    await waitFor('a part', () => readModels(db).expiries.channelAfter(0) !== undefined);
    await half.stop();
    let asked = 0;
    const progress = createProgress(readModels(db).position);
    const whenProcessed: typeof progress.whenProcessed = (...of) => {
      asked += 1;
      return progress.whenProcessed(...of);
    };
    await start(eraser({ progress: { whenProcessed } }));
    await waitFor('it to wait', () => asked > 0);
    expect(await revisionsOf(EVENTS)).to.deep.equal([0, 1]);
    await start(projector());
    await waitFor(
      'the first to go',
      () => revisionsOf(EVENTS),
      (found) => found[0] === 1,
    );
    expect(await revisionsOf(EVENTS)).to.deep.equal([1]);
    expect(await revisionsOf(stream.deliveries(CHANNEL_ID))).to.deep.equal([]);
  });

  it('truncates nothing before a head covers it', async () => {
    await append(EVENTS, published());
    await append(stream.channel(CHANNEL_ID), CHANNEL_DELETED);
    await append(stream.erasure(CHANNEL_ID), erasureRequested());
    await start(projector());
    let [size, asked] = [0, 0];
    const lastHead = () => {
      asked += 1;
      return { tree_size: size } as never;
    };
    await start(eraser({ tree: () => ({ indexOf: () => 0, lastHead }) }));
    await waitFor('it to look again', () => asked > 1);
    expect(await revisionsOf(EVENTS)).to.deep.equal([0]);
    expect(await revisionsOf(stream.remains)).to.deep.equal([0]);
    size = 1;
    await waitFor(
      'the events to go',
      () => revisionsOf(EVENTS),
      (found) => found.length === 0,
    );
  });

  /** The store, whose log seems to end there. */
  function upTo(end: number): EventStore {
    return {
      ...store,
      async *follow(how) {
        for await (const { facts, position } of store.follow(how)) {
          yield { facts: facts.filter((fact) => fact.position <= end), position: Math.min(position, end) };
        }
      },
    };
  }
});
