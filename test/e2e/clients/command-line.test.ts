import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { apiAt } from '../../support/api.ts';
import { openRaw } from '../../support/raw-http.ts';
import { collectOutput, type Stack, stackEnv, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/** The promise: what the README says of `npx webhooks` is so, from the checkout and with nothing but the server that runs on DATA_DIR. */
describe('the command line', function () {
  this.timeout(120_000);
  const ADMIN_KEY = 'the admin key of these tests';
  let stack: Stack;
  const children: ChildProcess[] = [];
  before(async () => {
    stack = await startStack({ env: { ADMIN_KEY } });
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await stack?.stop();
  });

  function launch(...args: string[]) {
    const env = { ...stackEnv(), DATA_DIR: stack.dataDir };
    const child = spawn(process.execPath, ['infra/setup/webhooks.mjs', ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const output = collectOutput(child);
    const closed = once(child, 'close').then(([code]) => code as number);
    return { child, output, closed };
  }

  async function run(...args: string[]) {
    const { output, closed } = launch(...args);
    return { code: await closed, output: output() };
  }

  /** What `listen` says of itself. */
  async function startListening(...args: string[]) {
    const listening = launch('listen', ...args);
    const seen = await waitFor('its greeting', () =>
      /Channel +(\d+) +(\S*)\n.*Webhook +(\d+) +(\S+)\n[\s\S]*Listening +(\S+)[\s\S]*Ctrl-C/.exec(listening.output()),
    );
    const [, channel = '', key = '', webhook = '', subscriberKey = '', url = ''] = seen ?? [];
    return { ...listening, channel, key, webhook, subscriberKey, url };
  }

  it('listens to what is published, and tells what its signature is worth', async () => {
    const { child, output, closed, channel, key, webhook, url } = await startListening(
      '--key',
      ADMIN_KEY,
      '--events',
      'order.*',
    );
    const published = await run(
      'publish',
      'order.created',
      '--channel',
      channel,
      '--key',
      key,
      '--data',
      '{"order":1}',
    );
    expect(published.code, published.output).to.equal(0);
    const event = JSON.parse(published.output);
    expect(event).to.deep.include({ event_name: 'order.created', data: { order: 1 } });
    await waitFor('the delivery', () => output().includes(`order.created ${event.id}  signature good`));
    expect(output()).to.contain(JSON.stringify(event));
    await fetch(url, { method: 'POST', body: '{}' });
    await waitFor('the forged one', () => output().includes('signature BAD: the header webhook-id is missing'));
    const cutOff = await openRaw(url);
    cutOff.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{');
    cutOff.socket.end();
    await waitFor('the one that is cut off', () => output().includes('a delivery did not arrive whole'));
    child.kill('SIGINT');
    expect(await closed, output()).to.equal(0);
    const { status } = await apiAt(stack.url).call('GET', `/v1/channels/${channel}/webhooks/${webhook}`, {
      key: ADMIN_KEY,
    });
    expect(status).to.equal(404);
  });

  it('listens at a channel that there is, answers as it is told, and leaves the channel there', async () => {
    const api = apiAt(stack.url);
    const { body: made } = await api.call('POST', '/v1/channels', { key: ADMIN_KEY, json: { name: 'a' } });
    const args = ['--key', made.publisher_key, '--channel', String(made.id), '--status', '503'];
    const { child, closed, key, output } = await startListening(...args);
    expect(key).to.equal('');
    const event = await api.publish(made);
    await waitFor('the failure', async () => (await api.log(made, event.id))[0]?.attempts[0]?.status_code === 503);
    child.kill('SIGTERM');
    expect(await closed).to.equal(0);
    const left = await api.call('GET', `/v1/channels/${made.id}/webhooks`, { key: made.publisher_key });
    expect(left.body).to.deep.equal([]);
    expect(output()).not.to.contain(made.publisher_key);
  });

  it('tails the events of a webhook or channel, from now on or all of them', async () => {
    const api = apiAt(stack.url);
    const { body: made } = await api.call('POST', '/v1/channels', { key: ADMIN_KEY, json: { name: 'a' } });
    const webhook = await api.newWebhook(made, 'http://127.0.0.1:9/');
    const before = await api.publish(made);
    const args = [
      'tail',
      '--channel',
      String(made.id),
      '--webhook',
      String(webhook.id),
      '--key',
      webhook.subscriber_key,
    ];
    const ofChannel = ['tail', '--channel', String(made.id), '--key', made.publisher_key];
    const tails = [launch(...args), launch(...ofChannel), launch(...args, '--all'), launch(...ofChannel, '--all')];
    const idsIn = (text: string) => [...text.matchAll(/^\{"id":(\d+)/gm)].map(([, id]) => Number(id));
    await waitFor('all', () =>
      tails.every(({ output }, at) => output().includes('Waiting') && idsIn(output()).length === (at < 2 ? 0 : 1)),
    );
    const after = await api.publish(made);
    await waitFor('the next', () => tails.every(({ output }) => idsIn(output()).includes(after.id)));
    for (const [at, { child, closed, output }] of tails.entries()) {
      expect(idsIn(output())).to.deep.equal(at < 2 ? [after.id] : [before.id, after.id]);
      child.kill('SIGINT');
      expect(await closed).to.equal(0);
    }
  });

  it('says in one line what its user can mend', async () => {
    const cases: [args: string[], said: RegExp][] = [
      [['publish', 'a', '--channel', '1', '--key', ADMIN_KEY], /^There is no such channel: .*\n$/],
      [['publish', 'a b', '--channel', '1', '--key', 'pk_1'], /^The key is malformed: .*\n$/],
      [['publish', 'a'], /required option '--channel <id>'/],
      [['publish', 'a', '--channel', '1', '--data', '[]'], /It must be a JSON object/],
      [['listen', '--port', '99999'], /It must be a port/],
      [['listen', '--status', '99'], /It must be a status/],
      [['tail', '--channel', '1', '--webhook', 'x'], /It must be an id/],
    ];
    for (const [args, said] of cases) {
      const { code, output } = await run(...args);
      expect(output, args.join(' ')).to.match(said);
      expect(code).to.equal(2);
    }
  });

  it('has the audit commands too', async () => {
    const { code, output } = await run('audit', 'replay', '--type', 'ChannelCreated');
    expect(code, output).to.equal(0);
    expect(output).to.contain('"type":"ChannelCreated"');
    expect((await run('audit', 'show', 'nothing', '1')).code).to.equal(2);
  });
});
