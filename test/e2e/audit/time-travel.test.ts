import { expect } from 'chai';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { waitFor } from '../../support/wait.ts';
import { useStack } from '../api/support.ts';

/** A time between what has been recorded and what is yet to be. */
async function between(): Promise<string> {
  const now = Date.now();
  await waitFor('the next millisecond', () => Date.now() > now + 1);
  const at = new Date(Date.now()).toISOString();
  await waitFor('the one after that', () => Date.now() > Date.parse(at));
  return at;
}

describe('what was', () => {
  const { call, newChannel } = useStack({ RETRY_INTERVAL: '300ms', RETRY_WINDOW: '1h' });
  let receiver: Receiver;
  let url: string;
  before(async () => {
    receiver = await startReceiver();
    url = receiver.url();
  });
  after(() => receiver.close());

  it('shows a channel as it was at a time', async () => {
    const before = await between();
    const channel = await newChannel({ name: 'first', email: 'a@example.com' });
    const path = `/v1/channels/${channel.id}`;
    const key = channel.publisher_key;
    const asFirst = await between();
    await call('PUT', path, { key, json: { name: 'second', email: null } });
    const asSecond = await between();
    const at = async (time: string) => call('GET', `${path}?at=${time}`, { key });

    expect((await at(asFirst)).body).to.include({ id: channel.id, name: 'first', email: 'a@example.com', revision: 0 });
    expect((await at(asFirst)).body).to.not.have.property('publisher_key');
    expect((await at(asSecond)).body)
      .to.include({ name: 'second', revision: 1 })
      .and.not.have.property('email');
    expect(Date.parse((await at(asSecond)).body.recorded_at)).to.be.within(Date.parse(asFirst), Date.parse(asSecond));
    expect((await at(before)).body).to.include({ status: 404, type: '/docs/errors#not-there-then' });
    expect((await at('yesterday')).body.errors).to.deep.equal([
      { field: 'at', message: 'must be a time such as 2026-11-24T09:00:00Z (RFC 3339)' },
    ]);
  });

  it('shows nobody without a key what a channel was before it was public', async () => {
    const channel = await newChannel({ name: 'secret', email: 'a@example.com' });
    const path = `/v1/channels/${channel.id}`;
    const asSecret = await between();
    await call('PUT', path, { key: channel.publisher_key, json: { name: 'open', public: true } });
    const asOpen = await between();
    expect((await call('GET', `${path}?at=${asSecret}`)).status).to.equal(401);
    const { status, body } = await call('GET', `${path}?at=${asOpen}`);
    expect(status).to.equal(200);
    expect(body).to.include({ name: 'open', public: true }).and.not.have.any.keys('email', 'publisher_key');
  });

  it('shows a webhook at a time, and at a revision', async () => {
    const channel = await newChannel();
    const key = channel.publisher_key;
    const before = await between();
    const made = await call('POST', `/v1/channels/${channel.id}/webhooks`, {
      ...{ key, json: { webhook_url: 'http://127.0.0.1:9/first' } },
    });
    const path = `/v1/channels/${channel.id}/webhooks/${made.body.id}`;
    const asFirst = await between();
    await call('PUT', path, { key: made.body.subscriber_key, json: { webhook_url: 'http://127.0.0.1:9/second' } });
    const get = (query: string) => call('GET', `${path}?${query}`, { key });

    for (const query of [`at=${asFirst}`, 'revision=0']) {
      const { body } = await get(query);
      expect(body, query).to.include({ id: made.body.id, webhook_url: 'http://127.0.0.1:9/first', revision: 0 });
      expect(body, query).to.not.have.any.keys('subscriber_key', 'signing_secret');
    }
    expect((await get('revision=1')).body).to.include({ webhook_url: 'http://127.0.0.1:9/second', revision: 1 });
    for (const query of [`at=${before}`, 'revision=2']) expect((await get(query)).status, query).to.equal(404);
    expect((await get(`revision=0&at=${asFirst}`)).body.errors).to.deep.equal([
      { field: 'revision', message: 'must not be given together with at' },
    ]);
  });

  it('shows a notification log at a time', async () => {
    receiver.reply({ status: 500 });
    const channel = await newChannel();
    const key = channel.publisher_key;
    const webhooks = `/v1/channels/${channel.id}/webhooks`;
    const { body: webhook } = await call('POST', webhooks, { key, json: { webhook_url: url } });
    const before = await between();
    const { body: event } = await call('POST', `/v1/channels/${channel.id}/events`, {
      ...{ key, json: { event_name: 'a' } },
    });
    const path = `/v1/channels/${channel.id}/events/${event.id}/notification_log`;
    const log = async (query = '') => (await call('GET', path + query, { key })).body;
    await waitFor('a first attempt', async () => (await log())[0].attempts.length > 0);
    receiver.reply({ status: 200 });
    await waitFor('a delivery', async () => (await log())[0].status === 'delivered');
    await call('DELETE', `${webhooks}/${webhook.id}`, { key });
    const now = await log();
    const [{ attempts }] = now;
    // Each attempt was recorded after it was answered, and before the next one began.
    const second = attempts[1].at;

    expect(await log(`?at=${await between()}`)).to.deep.equal(now);
    const [then] = await log(`?at=${second}`);
    expect(then).to.include({ status: 'pending', webhook_id: webhook.id, webhook_url: url });
    expect(then.attempts).to.deep.equal(attempts.slice(0, 1));
    expect(Date.parse(then.next_attempt_at)).to.be.at.most(Date.parse(second) + 1);
    expect((await call('GET', `${path}?at=${before}`, { key })).body.type).to.equal('/docs/errors#not-there-then');
  });
});

describe('the history', () => {
  const ADMIN_KEY = 'the admin key of these tests';
  const HEADER_VALUE = 'the value of a header';
  const { call } = useStack({ ADMIN_KEY });

  it('says who changed a channel and a webhook, when and how, and never shows a key', async () => {
    const asked = await call('POST', '/v1/channels', { key: ADMIN_KEY, json: { name: 'first' } });
    const channel = asked.body;
    const key = channel.publisher_key;
    const path = `/v1/channels/${channel.id}`;
    const renamed = await call('PUT', path, { key, json: { name: 'second', description: 'it' } });
    await call('PUT', path, { key: ADMIN_KEY, json: { description: null } });
    const made = await call('POST', `${path}/webhooks`, { key, json: { webhook_url: 'http://127.0.0.1:9/' } });
    const webhook = made.body;
    const itself = `${path}/webhooks/${webhook.id}`;
    const changes = { name: 'mine', headers: { 'x-own': HEADER_VALUE } };
    await call('PUT', itself, { key: webhook.subscriber_key, json: changes });
    const rotated = await call('POST', `${itself}/rotate_key`, { key, json: {} });

    const history = await call('GET', `${path}/history`, { key });
    const shown = history.body.map(({ revision, type, by, changes }: Record<string, unknown>) => [
      ...[revision, type, by, changes],
    ]);
    expect(shown).to.deep.equal([
      [0, 'ChannelCreated', 'admin', { name: 'first', public: false }],
      [1, 'ChannelUpdated', 'publisher', { name: 'second', description: 'it' }],
      [2, 'ChannelUpdated', 'admin', { description: null }],
    ]);
    expect(history.body[1].request_id).to.equal(renamed.headers.get('x-request-id'));
    const times = history.body.map(({ recorded_at }: { recorded_at: string }) => recorded_at);
    expect(times).to.deep.equal([...times].sort());

    const own = await call('GET', `${itself}/history`, { key: rotated.body.subscriber_key });
    expect(own.body.map(({ by, changes }: Record<string, unknown>) => [by, changes])).to.deep.equal([
      ['publisher', { webhook_url: 'http://127.0.0.1:9/' }],
      ['subscriber', { name: 'mine', headers: ['x-own'] }],
      ['publisher', { key_version: 2 }],
    ]);
    const then = await call('GET', `${itself}?revision=1`, { key });
    expect(then.body).to.deep.include({ name: 'mine', headers: ['x-own'] });
    expect(JSON.stringify([own.body, then.body])).to.not.include(HEADER_VALUE);
    for (const secret of [
      key,
      webhook.subscriber_key,
      rotated.body.subscriber_key,
      webhook.signing_secret,
      ADMIN_KEY,
    ]) {
      expect(JSON.stringify([history.body, own.body])).to.not.include(secret);
    }
  });

  it('comes in pages', async () => {
    const { body: channel } = await call('POST', '/v1/channels', { key: ADMIN_KEY, json: { name: 'a' } });
    const path = `/v1/channels/${channel.id}`;
    for (const name of ['b', 'c']) await call('PUT', path, { key: ADMIN_KEY, json: { name } });
    const names: string[] = [];
    for (let next: string | undefined = `${path}/history?limit=1`; next !== undefined; ) {
      const page = await call('GET', next, { key: ADMIN_KEY });
      names.push(...page.body.map(({ changes }: { changes: { name: string } }) => changes.name));
      next = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
    }
    expect(names).to.deep.equal(['a', 'b', 'c']);
  });
});
