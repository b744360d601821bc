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

/** The promise: what is older than RETENTION and over goes, from read models and log, and what is not over stays until it is. */
describe('RETENTION', function () {
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

  async function start(env: Record<string, string> = {}, dataDir = newDataDir()) {
    stack = await startStack({ dataDir, env: { TREE_HEAD_INTERVAL: '100ms', RETENTION: '2s', ...env } });
    api = apiAt(stack.url);
    return stack;
  }

  type Channel = Awaited<ReturnType<Api['newChannel']>>;
  const eventIds = async ({ id, publisher_key: key }: Channel): Promise<number[]> =>
    (await api.call('GET', `/v1/channels/${id}/events`, { key })).body.map((event: { id: number }) => event.id);
  const whenLeft = (channel: Channel, ids: readonly number[]) =>
    waitFor(
      'what is left',
      () => eventIds(channel),
      (found) => String(found) === String(ids),
    );
  const isOnDisk = (dataDir: string, text: string) =>
    readdirSync(join(dataDir, 'eventstore')).some((name) =>
      readFileSync(join(dataDir, 'eventstore', name)).includes(text),
    );
  const whenTruncated = (dataDir: string, text: string) => waitFor('the log', () => !isOnDisk(dataDir, text));

  async function verify(dataDir: string) {
    const { code, stdout, stderr } = await audit(dataDir, 'verify');
    expect(code, stdout + stderr).to.equal(0);
  }

  it('drops events that are over with all that came of them, and keeps those that are not', async () => {
    const { dataDir } = await start();
    const marker = randomUUID();
    const channel = await api.newChannel();
    const key = channel.publisher_key;
    receiver.reply({ body: `taken ${marker}` }, '/ok');
    receiver.reply({ status: 500 }, '/failing');
    await api.newWebhook(channel, receiver.url('/ok'), { event_names: ['over'] });
    const failing = await api.newWebhook(channel, receiver.url('/failing'), { event_names: ['waits'] });
    const over = await api.publish(channel, { event_name: 'over', data: { marker } });
    const waits = await api.publish(channel, { event_name: 'waits' });
    await whenLeft(channel, [waits.id]);
    const path = `/v1/channels/${channel.id}`;
    for (const gone of [`${path}/events/${over.id}`, `${path}/events/${over.id}/notification_log`]) {
      expect((await api.call('GET', gone, { key })).status).to.equal(404);
    }
    await whenTruncated(dataDir, marker);
    const [entry] = await api.log(channel, waits.id);
    expect(entry).to.include({ status: 'pending' });
    expect((await api.call('GET', `${path}/webhooks/${failing.id}`, { key })).body.failing_since).to.equal(
      entry?.attempts[0]?.at,
    );
    const again = await api.call('POST', `${path}/events/${waits.id}/redeliver`, { key, json: {} });
    expect([again.status, again.body.type]).to.deep.equal([404, '/docs/errors#event-not-found']);
    await api.call('DELETE', `${path}/webhooks/${failing.id}`, { key });
    await whenLeft(channel, []);
    await verify(dataDir);
  });

  it('drops nothing before its time, and nothing where it is not set', async () => {
    await start({ RETENTION: '' });
    const channel = await api.newChannel();
    const first = await api.publish(channel);
    await stack?.stop();
    await start({ RETENTION: '1h' }, stack?.dataDir);
    const second = await api.publish(channel);
    await api.call('GET', '/v1/checkpoint');
    expect(await eventIds(channel)).to.deep.equal([second.id, first.id]);
  });

  it('makes the same read models and tree of what is left, and webhooks have failed for as long as they had', async () => {
    const { dataDir } = await start({ RETRY_WINDOW: '10ms', RETRY_INTERVAL: '10ms' });
    const marker = randomUUID();
    const channel = await api.newChannel();
    const key = channel.publisher_key;
    receiver.reply({ status: 500, body: marker }, '/failing');
    const webhook = await api.newWebhook(channel, receiver.url('/failing'));
    const path = `/v1/channels/${channel.id}/webhooks/${webhook.id}`;
    await api.publish(channel);
    const failingSince = async () => (await api.call('GET', path, { key })).body.failing_since;
    const since = await waitFor('a failure', failingSince);
    await whenLeft(channel, []);
    await whenTruncated(dataDir, marker);
    expect(await failingSince()).to.equal(since);
    await stack?.stop();
    for (const name of readdirSync(dataDir)) {
      if (!['eventstore', 'master_secret'].includes(name)) rmSync(join(dataDir, name), { recursive: true });
    }
    await start({}, dataDir);
    await waitFor('the read models', async () => (await api.call('GET', '/readyz')).status === 200);
    expect(await failingSince()).to.equal(since);
    await waitFor('the tree', async () => (await api.call('GET', '/v1/checkpoint')).status === 200);
    await verify(dataDir);
  });

  for (const step of ['EventsExpired', 'FactsErased', 'StreamsTruncated', '"$tb"']) {
    it(`goes on where it was where its worker is killed before it appends ${step}`, async () => {
      const dataDir = newDataDir();
      const marker = randomUUID();
      const died = join(dataDir, 'died');
      await start({ DIE_BEFORE: step, DIE_ONCE: died, NODE_OPTIONS: `--import=${DIE_ONCE}` }, dataDir);
      const channel = await api.newChannel();
      await api.newWebhook(channel, receiver.url('/'));
      await api.publish(channel, { data: { marker } });
      await whenLeft(channel, []);
      await whenTruncated(dataDir, marker);
      expect(existsSync(died), 'the worker was killed').to.equal(true);
      await verify(dataDir);
    });
  }
});
