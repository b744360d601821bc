import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { apiAt } from '../../support/api.ts';
import { startLoad } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { newDataDir, type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { run, runWith } from './command.ts';

/**
 * The promise: what was acknowledged before a backup began is in it, whatever goes on meanwhile; restored elsewhere, every key works and what
 * was pending goes on.
 */
describe('a backup', function () {
  this.timeout(120_000);
  const env = { RETRY_INTERVAL: '1s', RETRY_WINDOW: '10m' };
  const file = join(newDataDir(), 'backup');
  const restoredDir = newDataDir();
  let receiver: Receiver;
  let stack: Stack;

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env });
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  it('under load, restored elsewhere, loses nothing that was acknowledged before', async () => {
    const api = apiAt(stack.url);
    const channel = await api.newChannel();
    const webhook = await api.newWebhook(channel, receiver.url('/down'));
    await api.newWebhook(channel, receiver.url('/up'));
    receiver.reply({ status: 500 }, '/down');
    const load = startLoad(channel, () => api);
    await load.whenAccepted(200);
    const before = [...load.accepted];
    const { code, stdout, stderr } = await run('backup', stack.dataDir, file);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.include(file).and.include('holds the master secret');
    const accepted = await load.stop();
    expect(accepted.length, 'appends went on').to.be.greaterThan(before.length);
    expect(await stack.stop()).to.equal(0);

    const restored = await run('restore', restoredDir, file);
    expect(restored.code, restored.stderr).to.equal(0);
    receiver.reset();
    stack = await startStack({ env, dataDir: restoredDir });
    const again = apiAt(stack.url);
    await waitFor('every delivery', async () => {
      for (const id of before) {
        const entries = await again.log(channel, id);
        if (entries.length !== 2 || entries.some(({ status }) => status !== 'delivered')) return false;
      }
      return true;
    });
    const received = new Set(receiver.hitsAt('/down').map(({ body }) => JSON.parse(body.toString()).id));
    expect(
      before.filter((id) => !received.has(id)),
      'what was pending went on',
    ).to.deep.equal([]);
    const own = await again.call('GET', `/v1/channels/${channel.id}/webhooks/${webhook.id}`, {
      key: webhook.subscriber_key,
    });
    expect(own.status).to.equal(200);
    await again.publish(channel);
  });

  it('is one file that only its owner may read, with nothing left beside it', () => {
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readdirSync(dirname(file))).to.deep.equal(['backup']);
  });

  it('of a stack that does not run is made all the same', async () => {
    await stack.stop();
    const offline = join(newDataDir(), 'offline');
    expect(await run('backup', restoredDir, offline)).to.include({ code: 0, stderr: '' });
    expect(await run('restore', newDataDir(), offline)).to.include({ code: 0, stderr: '' });
  });

  it('says loudly where the environment sets the master secret, which is then not in it', async () => {
    const settings = { MASTER_SECRET: 'a master secret of more than thirty-two characters' };
    const without = join(newDataDir(), 'without-secret');
    const made = await runWith(settings, 'backup', restoredDir, without);
    expect(made).to.include({ code: 0, stderr: '' });
    expect(made.stdout).to.include('does NOT hold MASTER_SECRET');
    const dataDir = newDataDir();
    const restored = await run('restore', dataDir, without);
    expect(restored).to.include({ code: 0, stderr: '' });
    expect(restored.stdout).to.include('set MASTER_SECRET to what it was');
    expect(readdirSync(dataDir)).not.to.include('master_secret');
  });

  it('passes the check of a whole store', async () => {
    const { code, stdout } = await run('check-store', restoredDir);
    expect(code).to.equal(0);
    expect(stdout).to.match(/eventstore\.db is whole\n$/);
  });

  const REFUSED = [
    ['a backup over a file', /^\S+ exists already: [^\n]+\n$/, () => run('backup', restoredDir, file)],
    ['a backup of nothing', /^DATA_DIR \S+ holds no event store\n$/, () => run('backup', newDataDir(), `${file}-2`)],
    ['a backup without a name', /^usage: npm run backup -- FILE\n$/, () => run('backup', restoredDir)],
    ['a restore over data', /^DATA_DIR \S+ is not empty [^\n]+\n$/, () => run('restore', restoredDir, file)],
    ['a restore of nothing', /^[^\n]*no such file[^\n]*\n$/, () => run('restore', newDataDir(), `${file}-2`)],
    ['a restore of a store', /^it is no backup\n$/, () => run('restore', newDataDir(), storeIn(restoredDir))],
    ['a restore of a text', /^[^\n]+ is damaged [^\n]+\n$/, () => run('restore', newDataDir(), aText())],
  ] as const;
  for (const [what, line, attempt] of REFUSED) {
    it(`refuses ${what} in one line`, async () => {
      const { code, stderr } = await attempt();
      expect(stderr).to.match(line);
      expect(code).to.equal(1);
    });
  }

  function storeIn(dataDir: string): string {
    return join(dataDir, 'eventstore/eventstore.db');
  }

  function aText(): string {
    const path = join(newDataDir(), 'text');
    writeFileSync(path, 'no backup at all, but long enough to be looked at'.repeat(100));
    return path;
  }
});
