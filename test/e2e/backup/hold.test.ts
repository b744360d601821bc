import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { withHeldStore } from '../../../infra/local/backup/held-store.ts';
import { newDataDir } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { collect, connect, endAll, errorOf, events, newStream, spawnServer } from '../eventstore/support.ts';

/** More than the store writes before it brings its file up to date, were that not held. */
const ROUNDS = 30;
const PER_ROUND = 500;

/** The promise: while a copy is made the file stays as it is, appends go on, and a copy counts only where that held to its end. */
describe('holding the file of an event store', function () {
  this.timeout(60_000);
  afterEach(endAll);

  const digestOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

  async function started() {
    const dataDir = newDataDir();
    const server = await spawnServer(dataDir);
    const client = connect(server.port);
    const file = join(dataDir, 'eventstore.db');
    return { ...server, dataDir, client, file, url: `esdb://127.0.0.1:${server.port}?tls=false` };
  }

  async function appendMuch(client: ReturnType<typeof connect>, stream: string) {
    for (let round = 0; round < ROUNDS; round++) await client.appendToStream(stream, events(PER_ROUND));
  }

  it('keeps it the same under many appends, and lets it go on afterwards', async () => {
    const { client, dataDir, url, file } = await started();
    await withHeldStore(dataDir, url, async (held) => {
      expect(held.file).to.equal(file);
      const before = digestOf(file);
      await appendMuch(client, newStream());
      expect(digestOf(file)).to.equal(before);
    });
    const held = digestOf(file);
    await waitFor('the file to be brought up to date', async () => {
      await client.appendToStream(newStream(), events(PER_ROUND));
      return digestOf(file) !== held;
    });
  });

  it('by two at a time ends with the last of them', async () => {
    const { client, dataDir, url, file } = await started();
    await withHeldStore(dataDir, url, async () => {
      const before = digestOf(file);
      await withHeldStore(dataDir, url, async () => {});
      await appendMuch(client, newStream());
      expect(digestOf(file)).to.equal(before);
    });
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`fails where the store ends by ${signal} meanwhile, which loses nothing`, async () => {
      const { client, dataDir, url, child, exited } = await started();
      const stream = newStream();
      const error = await errorOf(
        withHeldStore(dataDir, url, async () => {
          await client.appendToStream(stream, events(PER_ROUND));
          child.kill(signal);
          await exited;
        }),
      );
      expect(error.message).to.match(/^there is no backup: /);
      const again = connect((await spawnServer(dataDir)).port);
      expect(await collect(again.readStream(stream))).to.have.length(PER_ROUND);
    });
  }

  it('ends where who copies fails', async () => {
    const { client, dataDir, url, file } = await started();
    const failing = withHeldStore(dataDir, url, () => Promise.reject(new Error('disk full')));
    expect((await errorOf(failing)).message).to.equal('disk full');
    const held = digestOf(file);
    await waitFor('the file to be brought up to date', async () => {
      await appendMuch(client, newStream());
      return digestOf(file) !== held;
    });
  });
});
