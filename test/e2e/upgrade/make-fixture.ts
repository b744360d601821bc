import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { apiAt } from '../../support/api.ts';
import { startReceiver } from '../../support/receiver.ts';
import { startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { answersOf, type Fixture } from './answers.ts';

/**
 * Makes a data directory and what every GET answers on it: `node test/e2e/upgrade/make-fixture.ts NAME`. To be run before a change of
 * what lies in DATA_DIR, in a checkout of the commit that it is to keep.
 */
const ADMIN_KEY = 'the admin key of fixtures';
const [name = 'new'] = process.argv.slice(2);
const target = resolve(import.meta.dirname, 'fixtures', name);

// What failed is still pending when the stack is stopped, and overdue ever after.
const env = { ADMIN_KEY, RETRY_INTERVAL: '1m', RETRY_WINDOW: '240h', LOG_LEVEL: 'warn' };
const receiver = await startReceiver();
receiver.reply({ status: 500, body: 'not now' }, '/failing');
let stack = await startStack({ env: { ...env, RETRY_WINDOW: '0ms' } });
let api = apiAt(stack.url);

async function post(path: string, json: object, key: string, headers = {}) {
  const { status, body } = await api.call('POST', path, { key, json, headers });
  if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
  return body;
}

const channel = await post('/v1/channels', { name: 'kept', guid: 'fixture', public: true }, ADMIN_KEY);
const of = `/v1/channels/${channel.id}`;
const key: string = channel.publisher_key;
const [good, failing, deleted] = [
  await post(`${of}/webhooks`, { name: 'good', webhook_url: receiver.url('/good') }, key),
  await post(`${of}/webhooks`, { webhook_url: receiver.url('/failing') }, key),
  await post(`${of}/webhooks`, { webhook_url: receiver.url('/failing') }, key),
];
const events: { id: number }[] = [];
async function publish(n: number) {
  const event = { event_name: 'fixture.made', ext_ref_code: `n-${n}`, data: { n, text: 'Grüße 🚀' } };
  events.push(await post(`${of}/events`, event, key, { 'idempotency-key': `fixture-${n}` }));
}

async function whenAttempted() {
  await waitFor('every first attempt', async () => {
    const logs = await Promise.all(events.map(({ id }) => api.log(channel, id)));
    return logs.every((log) => log.length === 3 && log.every(({ attempts }) => attempts.length === 1));
  });
}

await publish(0);
await whenAttempted();
await stack.stop();
stack = await startStack({ env, dataDir: stack.dataDir });
api = apiAt(stack.url);
for (let n = 1; n < 5; n++) await publish(n);
await whenAttempted();
const gone = await post('/v1/channels', { name: 'deleted' }, ADMIN_KEY);
await api.call('DELETE', `/v1/channels/${gone.id}`, { key: gone.publisher_key });
await api.call('DELETE', `${of}/webhooks/${deleted.id}`, { key });
await api.call('PUT', `${of}/webhooks/${good.id}`, { key, json: { name: 'renamed' } });
await api.call('PUT', of, { key, json: { description: 'changed once' } });

const asked = [
  { path: '/v1/channels', key: ADMIN_KEY },
  { path: of, key },
  { path: '/v1/channels/fixture' },
  { path: `/v1/channels/${gone.id}`, key: gone.publisher_key },
  { path: `${of}/webhooks`, key },
  { path: `${of}/webhooks/${good.id}`, key: good.subscriber_key },
  { path: `${of}/webhooks/${failing.id}`, key: failing.subscriber_key },
  { path: `${of}/webhooks/${deleted.id}`, key },
  { path: `${of}/events`, key },
  { path: `${of}/events?limit=2`, key },
  ...events.flatMap(({ id }) => [
    { path: `${of}/events/${id}`, key },
    { path: `${of}/events/${id}/notification_log`, key },
    { path: `${of}/events/${id}/notification_log`, key: good.subscriber_key },
  ]),
];
const fixture: Fixture = {
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  ...{ adminKey: ADMIN_KEY, channel: { id: channel.id, publisher_key: key } },
  pending: { webhookId: failing.id, eventId: events[1]?.id as number },
  answers: await answersOf(stack.url, asked),
};
await stack.stop();
await receiver.close();
// The queue is disposable, and its place on this machine is nobody's business.
rmSync(join(stack.dataDir, 'nats'), { recursive: true });
rmSync(join(stack.dataDir, 'lock.db'), { force: true });
writeFileSync(`${target}.json`, `${JSON.stringify(fixture, null, 2)}\n`);
execFileSync('tar', ['-czf', `${target}.tar.gz`, '--owner=0', '--group=0', '-C', stack.dataDir, '.']);
process.exit(0);
