import { closeSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { readModelsFile } from '../../../projections/generations.ts';
import { treeFile } from '../../../services/tree.ts';
import { type Api, apiAt } from '../../support/api.ts';
import type { Channel } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/** The promise: what can be rebuilt is thrown away where it is damaged, with a line in the log, and comes back by itself. */
describe('a damaged file of what can be rebuilt', function () {
  this.timeout(90_000);
  const EVENTS = 150;
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: Channel;
  let events: unknown[];

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack();
    api = apiAt(stack.url);
    channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url());
    for (let n = 0; n < EVENTS; n++) await api.publish(channel, { data: { text: 'x'.repeat(2_000) } });
    await receiver.whenHits(EVENTS);
    events = await allEvents();
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  const HARMS: readonly [string, () => string, (size: number) => [from: number, to: number]][] = [
    ['the read models, from their header on', () => readModelsFile(stack.dataDir), () => [0, 200]],
    ['the read models, all but their first page', () => readModelsFile(stack.dataDir), (size) => [4_096, size]],
    ['the read models, their second half', () => readModelsFile(stack.dataDir), (size) => [size / 2, size]],
    ["the relay's table, from its header on", () => join(stack.dataDir, 'relay.db'), () => [0, 200]],
    ["the relay's table, all but its first page", () => join(stack.dataDir, 'relay.db'), (size) => [4_096, size]],
    ['the tree over the log, from its header on', () => treeFile(stack.dataDir), () => [0, 200]],
    ['the tree over the log, all but its first page', () => treeFile(stack.dataDir), (size) => [4_096, size]],
  ];
  for (const [what, fileOf, part] of HARMS) {
    it(`${what}: is rebuilt`, async () => {
      expect(await stack.stop()).to.equal(0);
      const file = fileOf();
      emptyWal(file);
      const [from, to] = part(statSync(file).size);
      overwrite(file, Math.floor(from / 4_096) * 4_096, to);
      stack = await startStack({ dataDir: stack.dataDir });
      api = apiAt(stack.url);
      await waitFor('an answer', async () => {
        const seen = await allEvents().catch(() => undefined);
        if (seen) expect(seen, 'never another answer').to.deep.equal(events);
        return seen;
      });
      await waitFor('the log line', () => stack.output().includes('thrown away and rebuilt from the log'));
      expect(readdirSync(stack.dataDir).filter((name) => name.endsWith('.damaged'))).to.deep.equal([]);
      const { id } = await api.publish(channel);
      await receiver.whenHits(1, ({ body }) => JSON.parse(body.toString()).id === id);
      events = await allEvents();
    });
  }

  async function allEvents(): Promise<unknown[]> {
    const { status, body } = await api.call('GET', `/v1/channels/${channel.id}/events?limit=250`, {
      key: channel.publisher_key,
    });
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body;
  }

  function emptyWal(file: string): void {
    const db = new DatabaseSync(file);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
  }

  function overwrite(file: string, from: number, to: number): void {
    const fd = openSync(file, 'r+');
    writeSync(fd, Buffer.alloc(to - from, 0xa5), 0, to - from, from);
    closeSync(fd);
  }
});
