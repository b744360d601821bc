import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Hit, type Receiver, startReceiver } from '../../support/receiver.ts';
import { collectOutput } from '../../support/stack.ts';
import { useStack } from '../api/support.ts';

const FOLDER = 'docs/clients';

/** By the ends of their files: what runs them, and how to ask whether that is here. */
const LANGUAGES: Readonly<Record<string, { readonly run: readonly [string, ...string[]]; readonly version: string }>> =
  {
    sh: { run: ['bash'], version: '--version' },
    py: { run: ['python3'], version: '--version' },
    rb: { run: ['ruby'], version: '--version' },
    php: { run: ['php'], version: '--version' },
    go: { run: ['go', 'run'], version: 'version' },
  };

/** The promise: the examples for users of other languages publish, once, and verify, and refuse. */
describe('the examples in other languages', function () {
  this.timeout(120_000);
  const { call, newChannel, url } = useStack();
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver?.close());

  it('are here for each language', () => {
    const files = Object.keys(LANGUAGES).flatMap((end) => [`publish.${end}`, `verify.${end}`]);
    expect(readdirSync(FOLDER)).to.have.members(files);
  });

  for (const [end, { run, version }] of Object.entries(LANGUAGES)) {
    describe(`in ${run[0]}`, () => {
      before(function () {
        if (spawnSync(run[0], [version]).status === 0) return;
        console.log(`      skipped: ${run[0]} is not in PATH`);
        this.skip();
      });

      async function example(name: string, env: Record<string, string>, input: string | Buffer = '') {
        const [program, ...args] = run;
        const child = spawn(program, [...args, join(FOLDER, `${name}.${end}`)], { env: { ...process.env, ...env } });
        const output = collectOutput(child);
        child.stdin.on('error', () => {}).end(input);
        const [code] = await once(child, 'close');
        return { code, output: output() };
      }

      it('publishes an event once, however often it is asked to', async () => {
        const { id, publisher_key } = await newChannel();
        const env = { BASE_URL: url(), CHANNEL: String(id), PUBLISHER_KEY: publisher_key, IDEMPOTENCY_KEY: 'once' };
        const [first, second] = [await example('publish', env), await example('publish', env)];
        expect(first).to.deep.include({ code: 0 });
        expect(second).to.deep.equal(first);
        const { body } = await call('GET', `/v1/channels/${id}/events`, { key: publisher_key });
        expect(body).to.deep.equal([JSON.parse(first.output)]);
        const refused = await example('publish', { ...env, PUBLISHER_KEY: `pk_${'0'.repeat(40)}` });
        expect(refused.code).not.to.equal(0);
        expect(refused.output).to.contain('key-refused');
      });

      it('verifies what was delivered, also amid a rotation, and refuses all else', async () => {
        const channel = await newChannel();
        const key = channel.publisher_key;
        const path = `/v1/channels/${channel.id}`;
        const json = { webhook_url: receiver.url(`/${end}`) };
        const { body: webhook } = await call('POST', `${path}/webhooks`, { key, json });
        await call('POST', `${path}/webhooks/${webhook.id}/rotate_secret`, { key, json: {} });
        await call('POST', `${path}/events`, { key, json: { event_name: 'a', data: { text: 'Grüße 🚀' } } });
        const [hit] = await receiver.whenHits(1, (hit) => hit.path === `/${end}`);
        const { headers, body } = hit as Hit;
        const env = {
          SIGNING_SECRET: webhook.signing_secret,
          WEBHOOK_ID: String(headers['webhook-id']),
          WEBHOOK_TIMESTAMP: String(headers['webhook-timestamp']),
          WEBHOOK_SIGNATURE: String(headers['webhook-signature']),
        };
        const verified = await example('verify', env, body);
        expect(verified).to.deep.equal({ code: 0, output: `verified ${env.WEBHOOK_ID}\n` });
        const others = [
          [{}, Buffer.concat([body, Buffer.from(' ')]), 'no signature matches'],
          [{ SIGNING_SECRET: 'whsec_AAAA' }, body, 'no signature matches'],
          [{ WEBHOOK_ID: 'another' }, body, 'no signature matches'],
          [{ WEBHOOK_TIMESTAMP: '1700000000' }, body, 'it was signed too long ago, or in the future'],
        ] as const;
        for (const [other, text, why] of others) {
          const { code, output } = await example('verify', { ...env, ...other }, text);
          expect(code, why).to.equal(1);
          expect(output).to.contain(`refused: ${why}`);
        }
      });
    });
  }
});
