import { expect } from 'chai';
import { ROUTES } from '../../../services/gateway/routes/routes.ts';
import type { Call } from '../../support/api.ts';
import { waitFor } from '../../support/wait.ts';
import { type Channel, useStack } from './support.ts';

/** Everybody who may come along. */
const CALLERS = [
  'no key',
  'a malformed key',
  'an unknown publisher key',
  'an unknown subscriber key',
  "another channel's publisher",
  "another channel's subscriber",
  'the publisher',
  'the subscriber',
  'another subscriber',
  'the publisher, by a key that was rotated out',
  'the subscriber, by a key that was rotated out',
  'the admin',
] as const;
type Caller = (typeof CALLERS)[number];

/** What stands for any status but 401 and 403: the caller was let in. */
const IN = 'in';
type Verdict = typeof IN | 401 | 403 | 404;

/** What everybody is told, but for those whom the route's row names. */
const STRANGERS: Readonly<Record<Caller, Verdict>> = {
  'no key': 401,
  'a malformed key': 401,
  'an unknown publisher key': 403,
  'an unknown subscriber key': 403,
  "another channel's publisher": 403,
  "another channel's subscriber": 403,
  'the publisher': 403,
  'the subscriber': 403,
  'another subscriber': 403,
  'the publisher, by a key that was rotated out': 403,
  'the subscriber, by a key that was rotated out': 403,
  'the admin': IN,
};
const EVERYBODY = Object.fromEntries(CALLERS.map((caller) => [caller, IN])) as Record<Caller, Verdict>;

/** Who gets in where, written down by hand: a route that is missing here fails. */
const WHO_MAY: Readonly<Record<string, Partial<Record<Caller, Verdict>>>> = {
  'GET /': EVERYBODY,
  'GET /healthz': EVERYBODY,
  'GET /readyz': EVERYBODY,
  'GET /openapi.json': EVERYBODY,
  'GET /docs': EVERYBODY,
  'GET /docs/redoc.js': EVERYBODY,
  'GET /docs/errors': EVERYBODY,
  'GET /metrics': {},
  'POST /v1/channels': {},
  'GET /v1/channels': {},
  'GET /v1/checkpoint': EVERYBODY,
  'GET /v1/channels/:channel': { 'the publisher': IN },
  'GET /v1/channels/:channel/history': { 'the publisher': IN },
  'PUT /v1/channels/:channel': { 'the publisher': IN },
  'DELETE /v1/channels/:channel': { 'the publisher': IN },
  // Nobody has asked for it: 404 to whoever may know.
  'GET /v1/channels/:channel/erasure': { 'the publisher': 404, 'the admin': 404 },
  'POST /v1/channels/:channel/rotate_key': { 'the publisher': IN },
  'POST /v1/channels/:channel/webhooks': { 'the publisher': IN },
  'GET /v1/channels/:channel/webhooks': { 'the publisher': IN },
  'GET /v1/channels/:channel/webhooks/:webhook': { 'the publisher': IN, 'the subscriber': IN },
  'PUT /v1/channels/:channel/webhooks/:webhook': { 'the publisher': IN, 'the subscriber': IN },
  'DELETE /v1/channels/:channel/webhooks/:webhook': { 'the publisher': IN, 'the subscriber': IN },
  'GET /v1/channels/:channel/webhooks/:webhook/history': { 'the publisher': IN, 'the subscriber': IN },
  'POST /v1/channels/:channel/webhooks/:webhook/rotate_key': { 'the publisher': IN },
  'POST /v1/channels/:channel/webhooks/:webhook/rotate_secret': { 'the publisher': IN },
  'POST /v1/channels/:channel/webhooks/:webhook/recover': { 'the publisher': IN, 'the subscriber': IN },
  'GET /v1/channels/:channel/webhooks/:webhook/recoveries': { 'the publisher': IN, 'the subscriber': IN },
  'GET /v1/channels/:channel/webhooks/:webhook/recoveries/:recovery': { 'the publisher': IN, 'the subscriber': IN },
  'GET /v1/channels/:channel/webhooks/:webhook/public_key': { 'the publisher': IN, 'the subscriber': IN },
  'POST /v1/channels/:channel/webhooks/:webhook/ping': { 'the publisher': IN, 'the subscriber': IN },
  'GET /v1/channels/:channel/webhooks/:webhook/deliveries': { 'the publisher': IN, 'the subscriber': IN },
  'GET /v1/channels/:channel/webhooks/:webhook/feed': { 'the publisher': IN, 'the subscriber': IN },
  'GET /v1/channels/:channel/webhooks/:webhook/stats': { 'the publisher': IN, 'the subscriber': IN },
  'GET /v1/channels/:channel/feed': { 'the publisher': IN },
  'POST /v1/channels/:channel/events': { 'the publisher': IN },
  'POST /v1/channels/:channel/events/batch': { 'the publisher': IN },
  'GET /v1/channels/:channel/events': { 'the publisher': IN },
  'GET /v1/channels/:channel/events/:event': { 'the publisher': IN },
  'POST /v1/channels/:channel/events/:event/redeliver': { 'the publisher': IN },
  'GET /v1/channels/:channel/events/:event/notification_log': {
    'the publisher': IN,
    'the subscriber': IN,
    'another subscriber': IN,
  },
};

const ADMIN_KEY = 'the admin key of these tests';

describe('who may do what', () => {
  const stack = useStack({ ADMIN_KEY, TRUSTED_PROXIES: '127.0.0.0/8', TREE_HEAD_INTERVAL: '100ms' });
  let clients = 0;
  /** Each call from an address of its own: who is refused often is slowed. */
  const call = (method: string, path: string, { key, json }: Pick<Call, 'key' | 'json'> = {}) => {
    const headers = { 'x-forwarded-for': `2001:db8:0:${(++clients).toString(16)}::1` };
    return stack.call(method, path, { key, ...(json !== undefined && { json }), headers });
  };

  interface Scene {
    readonly channel: Channel;
    readonly webhookId: number;
    readonly eventId: number;
    readonly recoveryId: number;
    readonly keys: Readonly<Record<Caller, string | undefined>>;
  }

  async function make(path: string, fields: object, key = ADMIN_KEY) {
    const { status, body } = await call('POST', path, { key, json: fields });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body;
  }

  async function rotated(path: string) {
    const { status, body } = await call('POST', `${path}/rotate_key`, { key: ADMIN_KEY, json: {} });
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  async function makeScene(fields: object = {}): Promise<Scene> {
    const webhook_url = 'http://127.0.0.1:9/';
    const [first, other] = [
      await make('/v1/channels', { name: 'ours', ...fields }),
      await make('/v1/channels', { name: 'theirs' }),
    ];
    const channel = await rotated(`/v1/channels/${first.id}`);
    const firstWebhook = await make(`/v1/channels/${channel.id}/webhooks`, { webhook_url });
    const webhook = await rotated(`/v1/channels/${channel.id}/webhooks/${firstWebhook.id}`);
    const second = await make(`/v1/channels/${channel.id}/webhooks`, { webhook_url });
    const theirs = await make(`/v1/channels/${other.id}/webhooks`, { webhook_url });
    const event = await make(`/v1/channels/${channel.id}/events`, { event_name: 'a' });
    const recovery = await make(`/v1/channels/${channel.id}/webhooks/${webhook.id}/recover`, {
      since: '2025-01-01T00:00:00Z',
    });
    await waitFor('a checkpoint', async () => (await call('GET', '/v1/checkpoint')).status === 200);
    const keys = {
      'no key': undefined,
      'a malformed key': 'pk_1',
      'an unknown publisher key': `pk_${'0'.repeat(40)}`,
      'an unknown subscriber key': `sk_${'0'.repeat(40)}`,
      "another channel's publisher": other.publisher_key,
      "another channel's subscriber": theirs.subscriber_key,
      'the publisher': channel.publisher_key,
      'the subscriber': webhook.subscriber_key,
      'another subscriber': second.subscriber_key,
      'the publisher, by a key that was rotated out': first.publisher_key,
      'the subscriber, by a key that was rotated out': firstWebhook.subscriber_key,
      'the admin': ADMIN_KEY,
    };
    return { channel, webhookId: webhook.id, eventId: event.id, recoveryId: recovery.id, keys };
  }

  /** Its bodies are not what the route asks for where it takes one, so that nothing happens: what counts is whether it gets that far. */
  async function verdict(route: string, { channel, webhookId, eventId, recoveryId, keys }: Scene, caller: Caller) {
    const [method, path] = route.split(' ') as [string, string];
    const filled = path
      .replace(':channel', String(channel.id))
      .replace(':webhook', String(webhookId))
      .replace(':event', String(eventId))
      .replace(':recovery', String(recoveryId));
    const key = keys[caller];
    const body = method === 'POST' || method === 'PUT' ? { json: { nothing: 'like it' } } : {};
    const answer = await call(method, filled, { key, ...body });
    if (answer.status === 401) expect(answer.headers.get('www-authenticate')).to.equal('Basic realm="webhooks"');
    return answer.status === 401 || answer.status === 403 || answer.status === 404 ? answer.status : IN;
  }

  it('is written down for every route, and for no other', () => {
    const routes = ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect(Object.keys(WHO_MAY).sort()).to.deep.equal(routes.sort());
  });

  for (const [route, exceptions] of Object.entries(WHO_MAY)) {
    it(route, async () => {
      const expected = { ...STRANGERS, ...exceptions };
      const isEnding = route.startsWith('DELETE');
      const shared = await makeScene();
      for (const caller of CALLERS) {
        const scene = isEnding && expected[caller] === IN ? await makeScene() : shared;
        expect(await verdict(route, scene, caller), caller).to.equal(expected[caller]);
      }
    });
  }

  it('does not depend on the channel being named by its guid', async () => {
    const scene = await makeScene({ guid: 'named-by-guid' });
    for (const caller of CALLERS) {
      const { status } = await call('GET', '/v1/channels/named-by-guid', { key: scene.keys[caller] });
      const expected = { ...STRANGERS, 'the publisher': IN }[caller];
      expect(status, caller).to.equal(expected === IN ? 200 : expected);
    }
  });

  it('lets everybody read the public keys of a webhook that signs with them, but no rotated-out key', async () => {
    const { channel, keys } = await makeScene();
    const of = `/v1/channels/${channel.id}/webhooks`;
    const { id } = await make(of, { webhook_url: 'http://127.0.0.1:9/', signatures: ['v1a'] });
    expect((await call('GET', `${of}/${id}/public_key`)).status).to.equal(200);
    expect((await call('GET', `${of}/${id}`)).status).to.equal(401);
    expect((await call('GET', `${of}/1/public_key`)).status).to.equal(401);
    for (const caller of CALLERS.filter((caller) => STRANGERS[caller] !== IN && keys[caller])) {
      const { status } = await call('GET', `${of}/${id}/public_key`, { key: keys[caller] });
      expect(status, caller).to.equal(caller === 'the publisher' ? 200 : STRANGERS[caller]);
    }
  });

  it('lets nobody know without a key what exists', async () => {
    const { channel } = await makeScene();
    for (const path of [
      '/v1/channels/1',
      '/v1/channels/no-such-guid',
      '/v1/channels/00',
      `/v1/channels/${channel.id}`,
    ]) {
      for (const rest of ['', '/webhooks', '/webhooks/1', '/events', '/events/1', '/events/1/notification_log']) {
        expect((await call('GET', path + rest)).status, path + rest).to.equal(401);
      }
    }
  });

  it('says 404 to a key where there is nothing', async () => {
    const { channel, keys, webhookId } = await makeScene();
    const own = `/v1/channels/${channel.id}`;
    const deleted = await make(`${own}/webhooks`, { webhook_url: 'http://127.0.0.1:9/' });
    await call('DELETE', `${own}/webhooks/${deleted.id}`, { key: ADMIN_KEY });
    const other = await make('/v1/channels', { name: 'theirs' });
    const theirs = await make(`/v1/channels/${other.id}/webhooks`, { webhook_url: 'http://127.0.0.1:9/' });
    const event = await make(`/v1/channels/${other.id}/events`, { event_name: 'a' });
    const nowhere = [
      ...['/v1/channels/1', '/v1/channels/no-such-guid', '/v1/channels/1/webhooks', '/v1/channels/1/events'],
      ...[
        '/v1/channels/0',
        '/v1/channels/007',
        '/v1/channels/9007199254740992',
        '/v1/channels/%00',
        '/v1/channels/%E0',
      ],
      ...[`${own}/webhooks/1`, `${own}/webhooks/x`, `${own}/webhooks/0${webhookId}`, `${own}/webhooks/${theirs.id}`],
      ...[`${own}/webhooks/${deleted.id}`, `${own}/events/1`, `${own}/events/x`, `${own}/events/${event.id}`],
      ...[`${own}/events/${event.id}/notification_log`, `${own}/events/1/notification_log`, `${own}/events/-1`],
    ];
    for (const path of nowhere) {
      for (const key of [keys['the publisher'], ADMIN_KEY]) {
        expect((await call('GET', path, { key })).status, path).to.equal(404);
      }
    }
    expect((await call('GET', `${own}/webhooks/1`, { key: keys['the subscriber'] })).status).to.equal(404);
    expect((await call('GET', `${own}/webhooks/${deleted.id}`, { key: deleted.subscriber_key })).status).to.equal(404);
  });

  it('shows a public channel to everybody, but its email and key only to whoever may', async () => {
    const { channel, keys } = await makeScene({ public: true, email: 'a@example.com', guid: 'a-public-one' });
    for (const path of [`/v1/channels/${channel.id}`, '/v1/channels/a-public-one']) {
      const { status, body } = await call('GET', path);
      expect(status).to.equal(200);
      expect(body).to.deep.equal({ id: channel.id, name: 'ours', guid: 'a-public-one', public: true });
      for (const key of [channel.publisher_key, ADMIN_KEY]) {
        const full = await call('GET', path, { key });
        expect(full.body).to.deep.include({ email: 'a@example.com', publisher_key: channel.publisher_key });
      }
      expect((await call('GET', path, { key: 'pk_1' })).status).to.equal(401);
      expect((await call('GET', path, { key: keys["another channel's publisher"] })).status).to.equal(403);
      expect((await call('GET', `${path}/webhooks`)).status).to.equal(401);
      expect((await call('PUT', path, { json: { name: 'mine' } })).status).to.equal(401);
    }
  });

  it('lets a subscriber see no entry of the log but its own', async () => {
    const { channel, eventId, webhookId, keys } = await makeScene();
    const path = `/v1/channels/${channel.id}/events/${eventId}/notification_log`;
    const seen = async (caller: Caller) => {
      const { body } = await call('GET', path, { key: keys[caller] });
      return body.map((entry: { webhook_id: number }) => entry.webhook_id);
    };
    const all = await seen('the publisher');
    expect(all).to.have.length(2).and.to.include(webhookId);
    expect(await seen('the subscriber')).to.deep.equal([webhookId]);
    expect(await seen('another subscriber')).to.deep.equal(all.filter((id: number) => id !== webhookId));
    const late = await make(`/v1/channels/${channel.id}/webhooks`, { webhook_url: 'http://127.0.0.1:9/' });
    expect((await call('GET', path, { key: late.subscriber_key })).body).to.deep.equal([]);
  });

  it('takes the key as a Bearer token as well', async () => {
    const { channel } = await makeScene();
    expect((await stack.send('GET', `/v1/channels/${channel.id}`, { key: channel.publisher_key })).status).to.equal(
      200,
    );
    expect((await stack.send('GET', '/v1/channels', { key: ADMIN_KEY })).status).to.equal(200);
  });
});

describe('who may do what without an ADMIN_KEY', () => {
  const { call, newChannel } = useStack();

  it('lets everybody create a channel, whatever key they send along', async () => {
    for (const key of [undefined, 'pk_1', `pk_${'0'.repeat(40)}`]) {
      expect((await call('POST', '/v1/channels', { key, json: { name: 'a' } })).status).to.equal(201);
    }
  });

  it('lets nobody list all channels', async () => {
    const { publisher_key } = await newChannel();
    expect((await call('GET', '/v1/channels')).status).to.equal(401);
    for (const key of ['', 'undefined']) expect((await call('GET', '/v1/channels', { key })).status).to.equal(401);
    expect((await call('GET', '/v1/channels', { key: publisher_key })).status).to.equal(403);
  });
});
