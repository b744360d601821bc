import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { apiAt } from '../../support/api.ts';
import { type Hit, type Receiver, startReceiver } from '../../support/receiver.ts';
import { newDataDir, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

const [OLD, NEW] = ['the old master secret of this deployment', 'the new master secret of this deployment'];

/** The promise: the master secret is changed without anybody noticing, in steps none of which takes a key, a secret or a header from anybody. */
describe('a change of the master secret', () => {
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver.close());
  afterEach(() => receiver.reset());

  /** Starts a stack with these settings, does something with its API, and stops it. */
  async function during<T>(
    dataDir: string,
    env: Record<string, string>,
    use: (api: ReturnType<typeof apiAt>) => Promise<T>,
  ) {
    const stack = await startStack({ dataDir, env });
    try {
      return await use(apiAt(stack.url));
    } finally {
      await stack.stop();
    }
  }

  async function makeAll({ call, newChannel }: ReturnType<typeof apiAt>) {
    const channel = await newChannel();
    const json = { webhook_url: receiver.url('/hook'), headers: { 'X-Api-Key': 'a key of the receiver' } };
    const made = await call('POST', `/v1/channels/${channel.id}/webhooks`, { key: channel.publisher_key, json });
    expect(made.status).to.equal(201);
    return { channel, hook: made.body };
  }
  type Made = Awaited<ReturnType<typeof makeAll>>;

  /** All is as it was made: shown, taken, sent and signed. */
  async function expectWhole({ call, publish }: ReturnType<typeof apiAt>, { channel, hook }: Made) {
    const path = `/v1/channels/${channel.id}`;
    const read = await call('GET', path, { key: channel.publisher_key });
    expect(read.body.publisher_key, JSON.stringify(read.body)).to.equal(channel.publisher_key);
    expect((await call('GET', `${path}/webhooks/${hook.id}`, { key: hook.subscriber_key })).body).to.deep.equal(hook);
    const { id } = await publish(channel);
    const isIt = ({ body }: Hit) => JSON.parse(body.toString()).id === id;
    const [hit] = (await receiver.whenHits(1, isIt)) as [Hit];
    expect(hit.headers['x-api-key']).to.equal('a key of the receiver');
    new Webhook(hook.signing_secret).verify(hit.body.toString(), hit.headers as Record<string, string>);
  }

  it('keeps what the old one made, makes what is new with the new one, and ends when all is made anew', async () => {
    const dataDir = newDataDir();
    const old = await during(dataDir, { MASTER_SECRET: OLD }, makeAll);
    // First every node learns of the new one, then all use it.
    await during(dataDir, { MASTER_SECRETS: `${OLD},${NEW}`, MASTER_SECRET: OLD }, (api) => expectWhole(api, old));
    const [renewed, fresh] = await during(dataDir, { MASTER_SECRETS: `${NEW},${OLD}` }, async (api) => {
      await expectWhole(api, old);
      return [await renew(api, old), await makeAll(api)] as const;
    });
    await during(dataDir, { MASTER_SECRETS: NEW }, async (api) => {
      await expectWhole(api, fresh);
      const path = `/v1/channels/${renewed.channel.id}`;
      expect((await api.call('GET', path, { key: renewed.channel.publisher_key })).status).to.equal(200);
    });
  });

  async function renew({ call }: ReturnType<typeof apiAt>, { channel, hook }: Made): Promise<Made> {
    const path = `/v1/channels/${channel.id}`;
    const rotated = await call('POST', `${path}/rotate_key`, { key: channel.publisher_key });
    const key = rotated.body.publisher_key;
    const own = `${path}/webhooks/${hook.id}`;
    for (const what of ['rotate_key', 'rotate_secret']) {
      expect((await call('POST', `${own}/${what}`, { key })).status).to.equal(200);
    }
    return { channel: rotated.body, hook: (await call('GET', own, { key })).body };
  }

  it('keeps what the generated one made', async () => {
    const dataDir = newDataDir();
    const old = await during(dataDir, {}, makeAll);
    await during(dataDir, { MASTER_SECRETS: NEW }, (api) => expectWhole(api, old));
    await during(dataDir, {}, (api) => expectWhole(api, old));
  });

  it('that is made too early is said, and mended by giving the old one back: nothing is lost meanwhile', async () => {
    const dataDir = newDataDir();
    const old = await during(dataDir, { MASTER_SECRET: OLD }, makeAll);
    const path = `/v1/channels/${old.channel.id}`;
    await during(dataDir, { MASTER_SECRET: NEW }, async (api) => {
      const { status, body } = await api.call('GET', path, { key: old.channel.publisher_key });
      expect([status, body.type]).to.deep.equal([503, '/docs/errors#master-secret-missing']);
    });
    rmSync(join(dataDir, 'nats'), { recursive: true });
    await during(dataDir, { MASTER_SECRETS: `${NEW},${OLD}` }, (api) => expectWhole(api, old));
  });

  it('lets a delivery that cannot be signed wait until the secret is there', async () => {
    const dataDir = newDataDir();
    receiver.reply({ status: 500 });
    const env = { RETRY_INTERVAL: '1s', RETRY_WINDOW: '1h' };
    const { id, channel } = await during(dataDir, { ...env, MASTER_SECRET: OLD }, async (api) => {
      const { channel } = await makeAll(api);
      const { id } = await api.publish(channel);
      await receiver.whenHits(1);
      await waitFor('the attempt', async () => (await api.log(channel, id))[0]?.attempts.length);
      return { id, channel };
    });
    const sent = receiver.hits.length;
    const stack = await startStack({ dataDir, env: { ...env, MASTER_SECRET: NEW } });
    await waitFor('the complaint', () => stack.output().includes('is needed, and is not in MASTER_SECRETS'));
    await stack.stop();
    expect(receiver.hits.length).to.equal(sent);
    receiver.reply({ status: 200 });
    await during(dataDir, { ...env, MASTER_SECRETS: `${NEW},${OLD}` }, async (api) => {
      await waitFor('the delivery', async () => (await api.log(channel, id))[0]?.status === 'delivered');
    });
  });
});
