import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { type Api, apiAt, type LogEntry } from '../../support/api.ts';
import type { Channel } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { malformedUrls, TRICKY_NAMES, trickyUrls } from '../../support/tricky-urls.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: no request reaches a private address. What says in its URL that it leads to one is not taken; a name that stands for one is found out when it
 * is dialled, and the notification log says so.
 */
describe('private networks', function () {
  this.timeout(120_000);
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: Channel;
  before(async () => {
    receiver = await startReceiver({ host: '::' });
    stack = await startStack({ env: { ALLOW_PRIVATE_NETWORKS: 'false', RETRY_WINDOW: '0s', RETRY_INTERVAL: '1h' } });
    api = apiAt(stack.url);
    channel = await api.newChannel();
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  const key = () => channel.publisher_key;
  const webhooks = () => `/v1/channels/${channel.id}/webhooks`;
  const isNamed = (url: string) => Object.hasOwn(TRICKY_NAMES, new URL(url).hostname);

  async function refusalsOf(method: string, path: string, urls: readonly string[]): Promise<string[]> {
    const answers = await Promise.all(
      urls.map((webhook_url) => api.call(method, path, { key: key(), json: { webhook_url } })),
    );
    return answers.map(({ status, body }) => `${status} ${body.errors?.map(({ field }: { field: string }) => field)}`);
  }

  it('are not taken as the address of a webhook, however it is written', async () => {
    const urls = [...trickyUrls(receiver.port).filter((url) => !isNamed(url)), ...malformedUrls(receiver.port)];
    const { id } = await api.newWebhook(channel, 'http://example.com:2/');
    const expected = urls.map(() => '422 webhook_url');
    expect(await refusalsOf('POST', webhooks(), urls)).to.deep.equal(expected);
    expect(await refusalsOf('PUT', `${webhooks()}/${id}`, urls)).to.deep.equal(expected);
    const { body } = await api.call('GET', `${webhooks()}/${id}`, { key: key() });
    expect(body.webhook_url).to.equal('http://example.com:2/');
    await api.call('DELETE', `${webhooks()}/${id}`, { key: key() });
  });

  it('are named together with all else that is wrong', async () => {
    const json = { name: '', webhook_url: 'http://[::ffff:127.0.0.1]/' };
    const { status, body } = await api.call('POST', webhooks(), { key: key(), json });
    expect(status).to.equal(422);
    expect(body.errors).to.deep.include.members([
      { field: 'name', message: 'must not be empty' },
      { field: 'webhook_url', message: 'must not have the address ::ffff:7f00:1: deliveries only go to public ones' },
    ]);
  });

  it('are not reached by a name: the log says blocked_address', async () => {
    const made = await Promise.all(
      ['localhost', 'LOCALHOST'].map((host) => api.newWebhook(channel, `http://${host}:${receiver.port}/`)),
    );
    const event = await api.publish(channel);
    const log: LogEntry[] = await waitFor(
      'the end of all deliveries',
      () => api.log(channel, event.id),
      (entries) => entries.length === made.length && entries.every(({ status }) => status !== 'pending'),
    );
    expect(
      log.map(({ status, attempts }) => [status, ...attempts.map(({ error, status_code }) => [error, status_code])]),
    ).to.deep.equal(made.map(() => ['failed', ['blocked_address', null]]));
    expect(receiver.connections()).to.equal(0);
  });

  it('are looked for, as any name is, with threads enough for many names whose servers hang', async function () {
    if (process.platform !== 'linux') this.skip();
    expect(readdirSync(`/proc/${await stack.pidOf('delivery')}/task`)).to.have.length.above(64);
  });

  it('no more than denied ports are, by name or address', async () => {
    const urls = ['http://example.com:25/', 'https://8.8.8.8:6379/', 'http://example.com:0/'];
    expect(await refusalsOf('POST', webhooks(), urls)).to.deep.equal(urls.map(() => '422 webhook_url'));
  });
});
