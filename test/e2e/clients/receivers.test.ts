import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { startReceiver } from '../../support/receiver.ts';
import { collectOutput } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { useStack } from '../api/support.ts';

const EXAMPLES = 'clients/typescript/examples';

/** The promise: the receivers that the client comes with run as they are, take what the server sends and nothing else. */
describe('the examples of receivers', function () {
  this.timeout(60_000);
  const { call, newChannel } = useStack();
  const children: ChildProcess[] = [];
  after(() => {
    for (const child of children) child.kill();
  });

  async function start(file: string, keys: string[]) {
    const env = { ...process.env, WEBHOOK_KEYS: keys.join(','), PORT: '0' };
    const args = ['--conditions=source', '--disable-warning=ExperimentalWarning', `${EXAMPLES}/${file}`];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    const output = collectOutput(child);
    const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${file} ended: ${output()}`)));
    const url = waitFor('its address', () => /listening on (http:\S+)/.exec(output())?.[1]);
    return { url: (await Promise.race([url, ended])) as string, output };
  }

  /** A webhook that waits, so that its keys are known to the receiver before anything is sent. */
  async function makeWebhook(signatures: string[]) {
    const channel = await newChannel();
    const path = `/v1/channels/${channel.id}`;
    const key = channel.publisher_key;
    const json = { webhook_url: 'http://127.0.0.1:9/', signatures };
    const { body } = await call('POST', `${path}/webhooks`, { key, json });
    const { body: keys } = await call('GET', `${path}/webhooks/${body.id}/public_key`, { key });
    return {
      path,
      key,
      of: `${path}/webhooks/${body.id}`,
      known: signatures[0] === 'v1' ? body.signing_secret : keys.public_keys[0],
    };
  }

  for (const file of ['express.mjs', 'koa.mjs', 'fastify.mjs']) {
    for (const scheme of ['v1', 'v1a']) {
      it(`${file} takes deliveries that are signed with ${scheme}, also amid a rotation, and refuses others`, async () => {
        const { path, key, of, known } = await makeWebhook([scheme]);
        const { url, output } = await start(file, [known]);
        await call('PUT', of, { key, json: { webhook_url: `${url}/` } });
        const publish = async () =>
          (await call('POST', `${path}/events`, { key, json: { event_name: 'order.created' } })).body.id;
        const first = await publish();
        await waitFor('the delivery', () => output().includes(`received order.created ${first} as`));
        await call('POST', `${of}/rotate_secret`, { key, json: {} });
        const second = await publish();
        await waitFor('the next delivery', () => output().includes(`received order.created ${second} as`));
        const headers = {
          'content-type': 'application/json',
          'webhook-id': 'a',
          'webhook-timestamp': '1',
          'webhook-signature': 'v1,AAAA',
        };
        const forged = await fetch(url, { method: 'POST', headers, body: '{}' });
        expect([forged.status, await forged.text()]).to.deep.equal([400, 'timestamp-too-old']);
      });
    }
  }

  it('fetch.mjs takes a Request and answers a Response', async () => {
    const receiver = await startReceiver();
    const { path, key, of, known } = await makeWebhook(['v1']);
    await call('PUT', of, { key, json: { webhook_url: receiver.url('/') } });
    await call('POST', `${path}/events`, { key, json: { event_name: 'a' } });
    const [hit] = await receiver.whenHits(1);
    await receiver.close();
    const { headers = {}, body } = hit ?? {};
    const script = `
      const { default: { fetch } } = await import('./${EXAMPLES}/fetch.mjs');
      const { headers, body } = JSON.parse(process.env.HIT);
      for (const text of [body, body + ' ']) {
        const { status } = await fetch(new Request('http://localhost/', { method: 'POST', headers, body: text }));
        console.log(status);
      }`;
    const HIT = JSON.stringify({ headers, body: body?.toString() });
    const env = { ...process.env, WEBHOOK_KEYS: known, HIT };
    const args = [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      '--input-type=module',
      '--eval',
      script,
    ];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = collectOutput(child);
    await once(child, 'close');
    expect(output()).to.match(/^received a \d+ as \S+\n200\n400\n$/);
  });
});
