import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Api, apiAt } from '../../support/api.ts';
import { audit } from '../../support/audit.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { newDataDir, type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

const DIE_ONCE = join(import.meta.dirname, '../../support/die-once.ts');

/** The promise: an erased channel is gone from the log, the queue and the read models, and what the log proved of all else it still proves. */
describe('the erasure of a channel', function () {
  this.timeout(120_000);
  let receiver: Receiver;
  let stack: Stack | undefined;
  let api: Api;

  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver?.close());
  beforeEach(() => receiver.reset());
  afterEach(async () => {
    await stack?.stop();
    stack = undefined;
  });

  async function start(options: Parameters<typeof startStack>[0] = {}) {
    const env = { TREE_HEAD_INTERVAL: '100ms', ...options.env };
    stack = await startStack({ ...options, env });
    api = apiAt(stack.url);
    return stack;
  }

  /** A channel whose every part has the marker in it: fields, a webhook, events large and small, what its receiver answered. */
  async function makeMarked(marker: string) {
    const channel = await api.newChannel({
      name: `name ${marker}`,
      description: marker,
      email: `${marker}@example.com`,
    });
    const key = channel.publisher_key;
    const path = `/v1/channels/${channel.id}`;
    receiver.reply({ status: 500, body: `failed ${marker}` }, `/failing/${marker}`);
    receiver.reply({ body: `taken ${marker}` }, `/${marker}`);
    const webhook = await api.newWebhook(channel, receiver.url(`/${marker}`), { name: marker });
    const failing = await api.newWebhook(channel, receiver.url(`/failing/${marker}`), { headers: { 'x-of': marker } });
    await api.call('PUT', path, { key, json: { description: `${marker} again` } });
    const events: { id: number }[] = [];
    for (let n = 0; n < 20; n++) {
      const data = { marker, large: n === 7 ? marker.repeat(2_000) : '' };
      events.push(await api.publish(channel, { event_name: 'a', ext_ref_code: marker, data }));
    }
    const logs = () => Promise.all(events.map(({ id }) => api.log(channel, id)));
    // What is asked for again before it was attempted at all is one attempt.
    await waitFor('the first attempts', async () => (await logs()).flat().every(({ attempts }) => attempts.length > 0));
    const [first] = events as [{ id: number }];
    await api.call('POST', `${path}/events/${first.id}/redeliver`, {
      key,
      json: { webhook_id: webhook.id, reason: marker },
    });
    const since = '2025-01-01T00:00:00Z';
    await api.call('POST', `${path}/webhooks/${webhook.id}/recover`, { key, json: { since } });
    await waitFor('the second of the first event', async () => (await logs())[0]?.[0]?.attempts.length === 2);
    return { channel, key, path, events, webhook, failing };
  }

  const erasureOf = async ({ path, key }: { path: string; key: string }) =>
    (await api.call('GET', `${path}/erasure`, { key })).body;
  const whenErased = (of: { path: string; key: string }) =>
    waitFor(
      'the erasure',
      () => erasureOf(of),
      ({ status }) => status === 'finished',
      60_000,
    );

  /** Names of the files that hold a text anywhere, the stores' own directories among them. */
  function filesWith(dataDir: string, text: string): string[] {
    return readdirSync(dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .filter((file) => readFileSync(file).includes(text));
  }
  const whenNowhere = (dataDir: string, text: string) =>
    waitFor(
      'no trace on disk',
      () => filesWith(dataDir, text),
      (files) => files.length === 0,
      30_000,
    );

  async function verify(dataDir: string) {
    const { code, stdout, stderr } = await audit(dataDir, 'verify');
    expect(code, stdout + stderr).to.equal(0);
    return stderr;
  }

  it('leaves no byte of it on disk, and all that was proven of others can still be proven', async () => {
    const { dataDir } = await start();
    const marker = randomUUID();
    const kept = await makeMarked('kept');
    const proofPath = `${kept.path}/events/${kept.events[0]?.id}/notification_log?proof=1`;
    const gone = await makeMarked(marker);
    expect(filesWith(dataDir, marker)).to.not.deep.equal([]);
    await waitFor('a head', async () => (await api.call('GET', '/v1/checkpoint')).status === 200);
    const { body: head } = await api.call('GET', '/v1/checkpoint');

    expect((await api.call('DELETE', `${gone.path}?erase=true`, { key: gone.key })).body).to.deep.equal({
      response: 'ok',
    });
    const erasure = await whenErased(gone);
    expect(erasure).to.deep.include({ channel_id: gone.channel.id, by: 'publisher' });
    expect(erasure.erased).to.include({ events: 20, attempts: 41, webhooks: 2 });
    await whenNowhere(dataDir, marker);

    for (const path of [gone.path, `${gone.path}/webhooks`, `${gone.path}/events`, `${gone.path}/history`]) {
      expect((await api.call('GET', path, { key: gone.key })).status, path).to.equal(404);
    }
    expect((await api.call('DELETE', `${gone.path}?erase=true`, { key: gone.key })).status).to.equal(404);
    expect((await api.call('GET', `${gone.path}/erasure`, { key: kept.key })).status).to.equal(403);

    const before = (await api.call('GET', proofPath, { key: kept.key })).body;
    expect(before[0].proof.facts[0].leaf_index).to.be.a('number');
    const { body: since } = await api.call('GET', `/v1/checkpoint?from=${head.tree_size}`);
    expect(since.consistency_proof).to.be.an('array');
    expect(await verify(dataDir)).to.include('facts are erased');
    const shown = await audit(dataDir, 'show', 'channel', String(gone.channel.id));
    expect(JSON.parse(shown.stdout)).to.deep.include({ status: 'erased' });
    expect((await audit(dataDir, 'replay')).stdout).to.not.include(marker);
  });

  it('is the same after read models, tree and queue were wiped and made anew', async () => {
    const first = await start();
    const kept = await makeMarked('kept');
    const gone = await makeMarked('gone');
    await api.call('DELETE', `${gone.path}?erase=true`, { key: gone.key });
    const erasure = await whenErased(gone);
    const log = await api.log(kept.channel, kept.events[0]?.id ?? 0);
    await first.stop();
    for (const name of readdirSync(first.dataDir)) {
      if (!['eventstore', 'master_secret'].includes(name)) rmSync(join(first.dataDir, name), { recursive: true });
    }
    await start({ dataDir: first.dataDir });
    await waitFor('the read models', async () => (await api.call('GET', '/readyz')).status === 200);
    expect(await erasureOf(gone)).to.deep.equal(erasure);
    expect((await api.call('GET', gone.path, { key: gone.key })).status).to.equal(404);
    expect(await api.log(kept.channel, kept.events[0]?.id ?? 0)).to.deep.equal(log);
    const event = await api.publish(kept.channel);
    await waitFor('a delivery', async () => (await api.log(kept.channel, event.id))[0]?.status === 'delivered');
    await waitFor('the tree', async () => (await api.call('GET', '/v1/checkpoint')).status === 200);
    await verify(first.dataDir);
  });

  it('is also for a channel that was deleted before', async () => {
    await start();
    const gone = await makeMarked('deleted');
    await api.call('DELETE', gone.path, { key: gone.key });
    expect((await api.call('DELETE', gone.path, { key: gone.key })).status).to.equal(404);
    expect((await api.call('GET', `${gone.path}/erasure`, { key: gone.key })).status).to.equal(404);
    expect((await api.call('DELETE', `${gone.path}?erase=true`, { key: gone.key })).status).to.equal(200);
    await whenErased(gone);
  });

  it('takes what comes too late with it', async () => {
    const { dataDir } = await start();
    const marker = randomUUID();
    const channel = await api.newChannel();
    const of = { path: `/v1/channels/${channel.id}`, key: channel.publisher_key };
    const answered = Promise.withResolvers<void>();
    receiver.reply({ after: answered.promise, body: marker }, '/slow');
    await api.newWebhook(channel, receiver.url('/slow'));
    await api.publish(channel);
    await receiver.whenHits(1);
    await api.call('DELETE', `${of.path}?erase=true`, of);
    const before = await whenErased(of);
    expect(before.erased.attempts).to.equal(0);
    answered.resolve();
    await waitFor(
      'the late attempt',
      () => erasureOf(of),
      ({ erased, status }) => erased.attempts === 1 && status === 'finished',
    );
    await whenNowhere(dataDir, marker);
    await verify(dataDir);
  });

  for (const step of ['EventsErased', 'FactsErased', 'StreamsErased', '"$tb"', 'ErasureFinished']) {
    it(`goes on where it was where its worker is killed before it appends ${step}`, async () => {
      const dataDir = newDataDir();
      const marker = randomUUID();
      const env = { DIE_BEFORE: step, DIE_ONCE: join(dataDir, 'died'), NODE_OPTIONS: `--import=${DIE_ONCE}` };
      await start({ dataDir, env });
      const kept = await makeMarked('kept');
      const gone = await makeMarked(marker);
      await api.call('DELETE', `${gone.path}?erase=true`, { key: gone.key });
      const { erased } = await whenErased(gone);
      expect(existsSync(env.DIE_ONCE), 'the worker was killed').to.equal(true);
      expect(erased).to.include({ events: 20, attempts: 41, webhooks: 2 });
      await whenNowhere(dataDir, marker);
      expect((await api.log(kept.channel, kept.events[0]?.id ?? 0)).length).to.equal(2);
      await verify(dataDir);
    });
  }
});
