import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { createLog } from '../../../infra/log.ts';
import { openDerived, removeDerived } from '../../../infra/sqlite.ts';
import { readModelsFile } from '../../../projections/generations.ts';
import { createReadModels, READ_MODEL_VERSION, readModels, readModelWriter } from '../../../projections/read-models.ts';
import { openReader } from '../../../services/read-model-reader.ts';
import { CHANNEL_ID, channelCreated, recorded } from '../../support/sample.ts';
import { newDataDir } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/** The promise: whatever happens to the files, a reader never shows less than it has said to be there. */
describe('a reader of read models', () => {
  const log = createLog('test', 'silent');
  const facts = recorded([`channel-${CHANNEL_ID}`, channelCreated()]);
  const opened: DatabaseSync[] = [];
  let reader: Awaited<ReturnType<typeof openReader>>;
  let dataDir: string;

  beforeEach(() => {
    dataDir = newDataDir();
  });
  afterEach(() => {
    reader.close();
    for (const db of opened.splice(0)) db.close();
  });

  function write(version: number, position: number): DatabaseSync {
    const db = openDerived(readModelsFile(dataDir, version));
    opened.push(db);
    createReadModels(db);
    if (position >= 0) readModelWriter(db).apply(facts, position);
    return db;
  }
  const shows = () => reader.models.channels.byId(CHANNEL_ID) !== undefined;

  it('serves older rows until the new ones are as far, not before', async () => {
    write(READ_MODEL_VERSION - 1, 20);
    const fresh = write(READ_MODEL_VERSION, -1);
    reader = await openReader(dataDir, log);
    expect([shows(), reader.models.position()]).to.deep.equal([true, 20]);
    readModelWriter(fresh).apply([], 9);
    expect(reader.models.position()).to.equal(20);
    readModelWriter(fresh).apply(facts, 25);
    expect([shows(), reader.models.position()]).to.deep.equal([true, 25]);
  });

  it('does not serve older rows whose tables are others', async () => {
    write(READ_MODEL_VERSION - 1, 20).exec('ALTER TABLE channels ADD COLUMN more TEXT');
    write(READ_MODEL_VERSION, -1);
    reader = await openReader(dataDir, log);
    expect([shows(), reader.models.position()]).to.deep.equal([false, -1]);
  });

  it('goes on with a file that was thrown away until what is rebuilt is as far', async () => {
    write(READ_MODEL_VERSION, 20);
    reader = await openReader(dataDir, log);
    expect(reader.models.position()).to.equal(20);
    removeDerived(readModelsFile(dataDir));
    const rebuilt = write(READ_MODEL_VERSION, -1);
    readModelWriter(rebuilt).apply([], 9);
    // That something does not happen can only be watched for a while: the reader looks every 100 ms.
    for (let looks = 0; looks < 30; looks++) {
      expect([shows(), reader.models.position()]).to.deep.equal([true, 20]);
      await delay(10);
    }
    readModelWriter(rebuilt).apply(facts, 30);
    await waitFor('the rebuilt rows', () => reader.models.position() === 30);
    expect(shows()).to.equal(true);
  });

  it('waits for the file to be there', async () => {
    const opening = openReader(dataDir, log);
    expect(existsSync(readModelsFile(dataDir))).to.equal(false);
    write(READ_MODEL_VERSION, 7);
    reader = await opening;
    expect(reader.models.position()).to.equal(7);
    expect(readModels(opened[0] as DatabaseSync).position()).to.equal(7);
  });
});
