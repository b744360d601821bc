import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodeIn } from '../../../services/node-id.ts';

describe('the id of a node', () => {
  let parent: string;
  let dataDir: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'webhooks-test-'));
    dataDir = join(parent, 'data');
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  it('is made once for a directory', () => {
    const id = nodeIn(dataDir);
    expect(id).to.match(/^[0-9a-f-]{36}$/);
    expect(nodeIn(dataDir)).to.equal(id);
    expect(nodeIn(join(parent, 'other'))).to.not.equal(id);
  });

  it('once made, takes no room on the disk', () => {
    const id = nodeIn(dataDir);
    // In the place of whatever it would write first.
    mkdirSync(join(dataDir, `node_id.${process.pid}`));
    expect(nodeIn(dataDir)).to.equal(id);
  });

  it('leaves nothing where it cannot be made', () => {
    mkdirSync(dataDir);
    const draft = `node_id.${process.pid}`;
    mkdirSync(join(dataDir, draft));
    expect(() => nodeIn(dataDir)).to.throw();
    rmSync(join(dataDir, draft), { recursive: true });
    nodeIn(dataDir);
    expect(readdirSync(dataDir)).to.deep.equal(['node_id']);
  });
});
