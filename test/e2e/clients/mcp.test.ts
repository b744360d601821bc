import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect } from 'chai';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { collectOutput, stackEnv } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { useStack } from '../api/support.ts';

const ARGS = ['infra/setup/webhooks.mjs', 'mcp'];

type Transport = Parameters<Client['connect']>[0];

/** The promise: a model finds events, learns why a delivery failed, and has it done again, with the key of whoever it works for and nothing more. */
describe('the MCP server', function () {
  this.timeout(60_000);
  const { stack, url, newChannel, call } = useStack({ RETRY_SCHEDULE: '1h' });
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver?.close());

  async function connected<T>(transport: Transport, use: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({ name: 'a test', version: '1' });
    await client.connect(transport);
    try {
      return await use(client);
    } finally {
      await client.close();
    }
  }
  const overStdio = <T>(key: string, use: (client: Client) => Promise<T>) => {
    const env = { ...stackEnv(), DATA_DIR: stack().dataDir, WEBHOOKS_KEY: key } as Record<string, string>;
    return connected(new StdioClientTransport({ command: process.execPath, args: ARGS, env, stderr: 'pipe' }), use);
  };

  // biome-ignore lint/suspicious/noExplicitAny: what a tool has found
  async function used(client: Client, name: string, input: object): Promise<any> {
    const { structuredContent, content, isError } = await client.callTool({
      name,
      arguments: input as Record<string, unknown>,
    });
    const [{ text }] = content as [{ text: string }];
    if (isError) return text;
    expect(JSON.parse(text)).to.deep.equal(structuredContent);
    return structuredContent;
  }

  async function makeScene(path: string) {
    const channel = await newChannel();
    const key = channel.publisher_key;
    const of = `/v1/channels/${channel.id}`;
    const json = { webhook_url: receiver.url(path), headers: { 'X-Api-Key': 'a secret value' } };
    const { body: webhook } = await call('POST', `${of}/webhooks`, { key, json });
    const { body: event } = await call('POST', `${of}/events`, { key, json: { event_name: 'order.created' } });
    return { channel: channel.id, key, webhook, event, of };
  }

  it('finds what failed, explains it, and has it delivered again', async () => {
    receiver.reply({ status: 500, body: 'out of order' }, '/failing');
    const { channel, key, webhook, event } = await makeScene('/failing');
    await receiver.whenHits(1, ({ path }) => path === '/failing');
    await overStdio(key, async (client) => {
      const found = await used(client, 'find_events', { channel, event_name: 'order.created' });
      expect(found.events).to.deep.equal([event]);
      const explain = () => used(client, 'explain_event', { channel, event: event.id });
      const { webhooks } = await waitFor('the attempt', explain, (seen) => seen.webhooks[0]?.attempts.length === 1);
      expect(webhooks[0].explanation).to.match(
        /^Will be tried again at .*was answered 500, and it said: "out of order"\.$/,
      );
      const health = await used(client, 'webhook_health', { channel, webhook: webhook.id });
      expect(health.webhook.failing_since).to.be.a('string');
      expect(health.stats.hour).to.include({ failed_attempts: 1 });
      receiver.reply({ status: 200 }, '/failing');
      const redelivery = await used(client, 'redeliver_event', { channel, event: event.id, reason: 'it is mended' });
      expect(redelivery).to.include({ event_id: event.id, reason: 'it is mended', by: 'publisher' });
      const delivered = await waitFor('it', explain, (seen) => seen.webhooks[0]?.status === 'delivered');
      expect(delivered.webhooks[0].explanation).to.match(/^Delivered at attempt 2, /);
      const recovery = await used(client, 'recover_webhook', {
        channel,
        webhook: webhook.id,
        since: '2025-01-01T00:00:00Z',
      });
      expect(recovery).to.include({ webhook_id: webhook.id, missing: false });
    });
  });

  it('tells a model no key, secret or header value', async () => {
    const { channel, key, webhook } = await makeScene('/secrets');
    await overStdio(key, async (client) => {
      const seen = JSON.stringify([
        await used(client, 'list_webhooks', { channel }),
        await used(client, 'webhook_health', { channel, webhook: webhook.id }),
      ]);
      expect(seen).to.contain('X-Api-Key');
      for (const secret of [webhook.subscriber_key, webhook.signing_secret, 'a secret value', key]) {
        expect(seen).not.to.contain(secret);
      }
    });
  });

  it('says what it can do, and what was asked wrongly', async () => {
    const { channel, key, event } = await makeScene('/asked');
    await overStdio(key, async (client) => {
      const { tools } = await client.listTools();
      const changing = tools.filter(({ annotations }) => !annotations?.readOnlyHint).map(({ name }) => name);
      expect(changing).to.deep.equal(['redeliver_event', 'recover_webhook']);
      for (const { name, inputSchema } of tools) expect(inputSchema.required, name).to.include('channel');
      expect(await used(client, 'find_events', { channel, limt: 3 })).to.equal(
        'input must NOT have additional properties.',
      );
      expect(await used(client, 'explain_event', { channel, event: 1 })).to.match(/^There is no such event: /);
      expect(await used(client, 'drop_everything', {})).to.equal('There is no tool drop_everything.');
    });
    await overStdio(`pk_${'0'.repeat(40)}`, async (client) => {
      expect(await used(client, 'explain_event', { channel, event: event.id })).to.match(/^This key may not do that: /);
    });
  });

  it('over HTTP, acts with the key of each request, and has none of its own', async () => {
    const [one, other] = [await makeScene('/one'), await makeScene('/other')];
    const env = { ...stackEnv(), WEBHOOKS_URL: url(), WEBHOOKS_KEY: one.key };
    const child = spawn(process.execPath, [...ARGS, '--http', '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = collectOutput(child);
    const address = await waitFor('its address', () => /at (http:\S+\/mcp)\./.exec(output())?.[1]);
    const withKey = (key: string) =>
      new StreamableHTTPClientTransport(new URL(address as string), {
        requestInit: { headers: { authorization: `Bearer ${key}` } },
      }) as Transport;
    for (const { key, channel, event } of [one, other]) {
      const found = await connected(withKey(key), (client) => used(client, 'find_events', { channel }));
      expect(found.events).to.deep.equal([event]);
    }
    const asOther = await connected(withKey(other.key), (client) =>
      used(client, 'find_events', { channel: one.channel }),
    );
    expect(asOther).to.match(/^This key may not do that: /);

    const post = (headers: Record<string, string>) =>
      fetch(address as string, {
        method: 'POST',
        headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
        body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      });
    expect((await post({ authorization: `Bearer ${one.key}` })).status).to.equal(200);
    const keyless = await post({});
    expect([keyless.status, keyless.headers.get('www-authenticate')]).to.deep.equal([401, 'Bearer realm="webhooks"']);
    expect((await fetch(address as string)).status).to.equal(405);
    expect((await fetch(new URL('/', address as string))).status).to.equal(404);
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(code, output()).to.equal(0);
  });
});
