import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { olderGenerations, readModelsFile, servableGeneration } from '../../../projections/generations.ts';
import { READ_MODEL_VERSION, READABLE_FROM } from '../../../projections/read-models.ts';

describe('generations of read models', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'generations-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const leave = (...names: string[]) => {
    for (const name of names) writeFileSync(join(dir, name), '');
  };

  it('have a file each; the first had a name without a version', () => {
    expect(basename(readModelsFile(dir))).to.equal(`read-models-v${READ_MODEL_VERSION}.db`);
    expect(basename(readModelsFile(dir, 0))).to.equal('read-models.db');
  });

  it('are found where they are older than this one, newest first, and nothing else is', () => {
    leave('read-models.db', 'read-models-v1.db', `read-models-v${READ_MODEL_VERSION}.db`);
    leave('read-models-v1.db-wal', 'read-models-v99.db', 'relay.db', 'my-read-models-v1.db');
    expect(olderGenerations(dir).map(({ version }) => version)).to.deep.equal([1, 0]);
    expect(olderGenerations(dir).map(({ file }) => basename(file))).to.deep.equal([
      'read-models-v1.db',
      'read-models.db',
    ]);
  });

  it('are served from the newest that can be read', () => {
    expect(servableGeneration(dir)).to.equal(undefined);
    leave('read-models.db', 'read-models-v1.db');
    expect(servableGeneration(dir)?.version).to.equal(READABLE_FROM <= 1 ? 1 : undefined);
  });
});
