import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { createIds } from '../../../domain/ids.ts';
import { connectEventStore, type EventStore } from '../../../infra/event-store/client.ts';
import { createKeys } from '../../../infra/keys.ts';
import { type Eventstore, startEventstore } from '../../../infra/local/eventstore/eventstore.ts';
import { masterSecret } from '../../../infra/local/master-secret.ts';
import { createLog } from '../../../infra/log.ts';
import { readSettings } from '../../../infra/settings.ts';
import { removeDerived } from '../../../infra/sqlite.ts';
import { readModelsFile } from '../../../projections/generations.ts';
import { createProgress } from '../../../projections/progress.ts';
import { createReadModels, READ_MODEL_VERSION, readModels, readModelWriter } from '../../../projections/read-models.ts';
import { createGateway } from '../../../services/gateway/gateway.ts';
import { createKeeper } from '../../../services/projector/keeper.ts';
import { createProjector } from '../../../services/projector/projector.ts';
import { openReader } from '../../../services/read-model-reader.ts';
import { apiAt } from '../../support/api.ts';
import { ANYWHERE } from '../../support/destinations.ts';
import { NO_CHECKS, NO_EXCHANGE, NO_QUEUE } from '../../support/figures.ts';
import { waitFor } from '../../support/wait.ts';
import { answersOf } from './answers.ts';
import { fixtureNames, unpack } from './unpack.ts';

const log = createLog('test', 'silent');

/** The promise: where the read models' version has changed, the old ones are served, up to date, until the new ones have caught up. */
describe('read models of an older version', function () {
  this.timeout(60_000);
  const { fixture, dataDir } = unpack(fixtureNames().at(-1) as string);
  const [file, older] = [readModelsFile(dataDir), readModelsFile(dataDir, READ_MODEL_VERSION - 1)];
  const rebuild = Promise.withResolvers<void>();
  let eventstore: Eventstore;
  let store: EventStore;
  let stop: (() => Promise<void>)[] = [];
  let url: string;

  before(async () => {
    const options = { dataDir: join(dataDir, 'eventstore'), host: '127.0.0.1', port: 0, maxAppendSize: 1024 * 1024 };
    eventstore = await startEventstore(options);
    store = connectEventStore(`esdb://127.0.0.1:${eventstore.port}?tls=false`);
    await makeOlder();
    const gated: EventStore = {
      ...store,
      async *follow(how) {
        if (how.after < 0) await rebuild.promise;
        yield* store.follow(how);
      },
    };
    const keeper = createKeeper({ dataDir, store: gated, log });
    await keeper.start();
    const { models, close } = await openReader(dataDir, log);
    const gateway = createGateway({
      destinations: ANYWHERE,
      settings: { ...readSettings({ PORT: '0', PUBLISH_LAG_LIMIT: '0s' }), adminKey: fixture.adminKey },
      keys: createKeys([masterSecret(dataDir)]),
      ...{ store, readModels: models, progress: createProgress(models.position, await store.lastPosition()), log },
      tree: () => undefined,
      ...NO_QUEUE,
      ...{ ids: createIds(0, Date.now, models.events.largestId()), nowMs: Date.now, checks: NO_CHECKS },
      ...NO_EXCHANGE,
    });
    await gateway.start();
    url = `http://127.0.0.1:${gateway.port}`;
    stop = [gateway.stop, async () => close(), keeper.stop, store.close, eventstore.stop];
  });
  after(async () => {
    rebuild.resolve();
    for (const end of stop) await end();
  });

  /** What the version before would have left: the same tables. */
  async function makeOlder() {
    const db = new DatabaseSync(file);
    const projector = createProjector({ db, store, log });
    await projector.start();
    const head = await store.lastPosition();
    await waitFor('older read models', () => readModels(db).position() >= head);
    await projector.stop();
    db.close();
    removeDerived(older);
    renameSync(file, older);
  }

  it('are served while the new ones are not there yet', async () => {
    expect(await answersOf(url, fixture.answers)).to.deep.equal(fixture.answers);
    expect(positionIn(file)).to.equal(-1);
  });

  it('show what is written meanwhile', async () => {
    const { id } = await apiAt(url).publish(fixture.channel, { event_name: 'meanwhile' });
    expect(await apiAt(url).log(fixture.channel, id)).to.have.length(2);
    expect(positionIn(file)).to.equal(-1);
    expect(existsSync(older)).to.equal(true);
  });

  it('give way to the new ones once these have caught up, which are what a fold of the log is', async () => {
    rebuild.resolve();
    await waitFor('the end of the old ones', () => !existsSync(older));
    const { id } = await apiAt(url).publish(fixture.channel, { event_name: 'afterwards' });
    expect(await apiAt(url).log(fixture.channel, id)).to.have.length(2);
    const isOfEvents = (path: string) => /\/events(\?|$)/.test(path);
    const same = fixture.answers.filter(({ path }) => !isOfEvents(path));
    expect(await answersOf(url, same)).to.deep.equal(same);
    expect(rowsOf(file)).to.deep.equal(await freshFold());
  });

  function positionIn(ofFile: string): number {
    const db = new DatabaseSync(ofFile, { readOnly: true });
    const position = readModels(db).position();
    db.close();
    return position;
  }

  async function freshFold() {
    const db = new DatabaseSync(':memory:');
    createReadModels(db);
    const writer = readModelWriter(db);
    const head = await store.lastPosition();
    const over = new AbortController();
    for await (const { facts, position } of store.follow({ after: -1, signal: over.signal })) {
      writer.apply(facts, position);
      if (position >= head) break;
    }
    return rowsIn(db);
  }

  function rowsOf(ofFile: string) {
    const db = new DatabaseSync(ofFile, { readOnly: true });
    const rows = rowsIn(db);
    db.close();
    return rows;
  }

  function rowsIn(db: DatabaseSync) {
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    const asText = (row: object) => JSON.stringify(row);
    return Object.fromEntries(
      tables.map(({ name }) => [name, db.prepare(`SELECT * FROM "${name}"`).all().map(asText).sort()]),
    );
  }
});
