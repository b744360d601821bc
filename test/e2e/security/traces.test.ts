import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { connectEventStore } from '../../../infra/event-store/client.ts';
import { ROUTES } from '../../../services/gateway/routes/routes.ts';
import { readLog } from '../../chaos/read-log.ts';
import { type Answered, apiAt, type Call } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

const ADMIN_KEY = 'the admin key of the search for traces';
const MASTER_SECRETS = ['a newer master secret to be searched for', 'an older master secret to be searched for'];
const HEADER_VALUES = [
  'a header value: "with quotes" to find',
  'Bearer the-token-of-the-receiver',
  'a header value of later',
];
/** What is anything but secret: where this is not found either, the search is not one. */
const KNOWN = 'what-everybody-may-know';

/** The promise: after all that can be done was done, no key, secret or header value has left a trace but in the answers to whoever may know it. */
describe('traces of keys, secrets and header values', function () {
  this.timeout(120_000);
  let receiver: Receiver;
  let stack: Stack;
  const secrets = new Set<string>([ADMIN_KEY, ...MASTER_SECRETS, ...HEADER_VALUES]);
  const refusals: string[] = [];
  const places = new Map<string, Buffer>();

  before(async () => {
    receiver = await startReceiver();
    // It sends back all that it is sent, keys for receivers first of all.
    receiver.reply(({ headers }) => ({ status: 500, body: JSON.stringify(headers) }), '/echo');
    stack = await startStack({
      env: {
        ...{ ADMIN_KEY, MASTER_SECRETS: MASTER_SECRETS.join(), LOG_LEVEL: 'trace', RETRY_INTERVAL: '1s' },
        ...{ RETRY_WINDOW: '2s', PUBLISH_RATE_LIMIT: '100/h', TRUSTED_PROXIES: '127.0.0.1' },
      },
    });
    await doAll();
    await gather();
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  /** Every route, as it should be used and as it should not. */
  async function doAll() {
    const { call, log } = apiAt(stack.url);
    const asked = new Set<string>();
    async function ask(route: string, ids: Record<string, number> = {}, how: Call = {}): Promise<Answered> {
      const [method, path] = route.split(' ') as [string, string];
      asked.add(route);
      const answer = await call(
        method,
        path.replaceAll(/:(\w+)/g, (_, name) => String(ids[name])),
        how,
      );
      if (answer.status >= 400) refusals.push(JSON.stringify([[...answer.headers], answer.body]));
      else for (const secret of secretsIn(answer.body)) secrets.add(secret);
      return answer;
    }
    const made = await ask('POST /v1/channels', {}, { key: ADMIN_KEY, json: { name: KNOWN, guid: KNOWN } });
    await ask('POST /v1/channels', {}, { key: ADMIN_KEY, json: { name: KNOWN, guid: KNOWN } });
    const first: string = made.body.publisher_key;
    const channel = made.body.id;
    const rotated = await ask('POST /v1/channels/:channel/rotate_key', { channel }, { key: first });
    const key: string = rotated.body.publisher_key;
    const headers = { 'X-Api-Key': HEADER_VALUES[0], Authorization: HEADER_VALUES[1] };
    const fields = { webhook_url: receiver.url('/echo'), signatures: ['v1', 'v1a'], headers };
    const hook = await ask(
      'POST /v1/channels/:channel/webhooks',
      { channel },
      {
        ...{ key, json: fields, headers: { 'idempotency-key': KNOWN } },
      },
    );
    const ids: Record<string, number> = { channel, webhook: hook.body.id };
    const own = '/v1/channels/:channel/webhooks/:webhook';
    for (const what of ['rotate_key', 'rotate_secret']) await ask(`POST ${own}/${what}`, ids, { key });
    const event = await ask('POST /v1/channels/:channel/events', ids, {
      ...{ key, json: { event_name: 'a', data: { [KNOWN]: true } } },
    });
    ids.event = event.body.id;
    await ask(`PUT ${own}`, ids, { key, json: { headers: { ...headers, 'X-Later': HEADER_VALUES[2] } } });
    await waitFor('the last attempt', async () => {
      return (await log({ id: channel, publisher_key: key }, event.body.id))[0]?.status === 'failed';
    });

    const isEnding = ({ method }: { method: string }) => method === 'DELETE';
    const routes = [...ROUTES.filter((route) => !isEnding(route)), ...ROUTES.filter(isEnding).reverse()];
    const wrongKeys = [first, hook.body.subscriber_key, `pk_${'1'.repeat(40)}`, 'sk_malformed'];
    for (const { method, path } of routes) {
      const route = `${method} ${path}`;
      const json = method === 'POST' || method === 'PUT' ? { json: { wrong: HEADER_VALUES[0] } } : {};
      for (const wrong of [...wrongKeys, undefined]) await ask(route, ids, { key: wrong, ...json });
      const isRotation = path.includes('rotate');
      await ask(route, ids, { key: isRotation || method === 'DELETE' ? ADMIN_KEY : key, ...json });
    }
    const nothing = Object.fromEntries(Object.keys(ids).map((name) => [name, 1]));
    await ask(`GET ${own}`, nothing, { key });
    const all = ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect([...asked]).to.have.members(all);
  }

  /** All that may know nothing: what was printed, refused and kept, and what can be seen of the processes. */
  async function gather() {
    const { processes, eventstoreUrl = '' } = await stack.run();
    places.set('refusals', Buffer.from(refusals.join('\n')));
    const store = connectEventStore(eventstoreUrl);
    places.set('facts', Buffer.from(JSON.stringify(await readLog(store))));
    await store.close();
    const { status, body } = await apiAt(stack.url).call('GET', '/metrics', { key: ADMIN_KEY });
    if (status === 200) places.set('metrics', Buffer.from(String(body)));
    for (const { name, pid } of processes) places.set(`arguments of ${name}`, readFileSync(`/proc/${pid}/cmdline`));
    for (const file of filesUnder(stack.dataDir)) places.set(file, readFileSync(join(stack.dataDir, file)));
    await stack.stop();
    // Once more: what was in memory is in them by now.
    for (const file of filesUnder(stack.dataDir))
      places.set(`${file}, stopped`, readFileSync(join(stack.dataDir, file)));
    places.set('output', Buffer.from(stack.output()));
  }

  it('are searched for where things can be found', () => {
    expect(secrets.size).to.be.at.least(3 + HEADER_VALUES.length + 6);
    const withKnown = [...places].filter(([, bytes]) => bytes.includes(KNOWN)).map(([place]) => place);
    expect(withKnown).to.include.members(['facts', 'refusals']);
    for (const part of ['eventstore/eventstore.db', 'read-models']) {
      expect(
        withKnown.filter((place) => place.includes(part)),
        part,
      ).not.to.deep.equal([]);
    }
    expect(places.get('output')?.includes('"answered"'), 'requests are logged').to.equal(true);
    expect([...places.keys()].filter((place) => place.startsWith('arguments of'))).to.have.length.of.at.least(5);
    expect(places.get('facts')?.includes('[redacted]'), 'the receiver sent headers back').to.equal(true);
    expect(receiver.hits.every(({ headers }) => headers['x-api-key'] === HEADER_VALUES[0])).to.equal(true);
  });

  it('are in no log, refusal, fact, argument, metric or file, in whatever form', () => {
    const found = [...secrets].flatMap((secret) =>
      formsOf(secret).flatMap((form) =>
        [...places].filter(([, bytes]) => bytes.includes(form)).map(([place]) => `${secret} as ${form} in ${place}`),
      ),
    );
    expect(found).to.deep.equal([]);
  });
});

const SECRET = /^(?:[ps]k_[0-9a-f]{40}|whsec_.*)$/;

/** What in an answer is a key or a secret. */
function secretsIn(body: unknown): string[] {
  if (typeof body === 'string') return SECRET.test(body) ? [body] : [];
  return typeof body === 'object' && body !== null ? Object.values(body).flatMap(secretsIn) : [];
}

/** As it is, without its prefix, in JSON, base64 and hex, and as Basic auth sends it. */
function formsOf(secret: string): string[] {
  const [, core = secret] = /^(?:[ps]k|whsec)_(.*)$/.exec(secret) ?? [];
  const raw = secret.startsWith('whsec_') ? [Buffer.from(core, 'base64').toString('hex')] : [];
  const texts = [secret, core, JSON.stringify(secret).slice(1, -1), ...raw];
  const encoded = [secret, `${secret}:`].flatMap((text) => {
    const bytes = Buffer.from(text);
    return [bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url'), bytes.toString('hex')];
  });
  return [...new Set([...texts, ...encoded, encodeURIComponent(secret)])];
}

function filesUnder(dir: string): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(dir.length + 1));
}
