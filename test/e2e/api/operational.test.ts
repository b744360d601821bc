import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { waitFor } from '../../support/wait.ts';
import { type Channel, useStack, wrongFields } from './support.ts';

describe('operational webhooks', () => {
  const env = { RETRY_INTERVAL: '200ms', RETRY_WINDOW: '2s', AUTO_PAUSE_AFTER: '1s' };
  const { call, newChannel, curl } = useStack(env);
  let receiver: Receiver;
  let channel: Channel;
  let path: string;
  let key: string;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver.close());
  beforeEach(async () => {
    channel = await newChannel();
    key = channel.publisher_key;
    path = `/v1/channels/${channel.id}`;
  });

  async function make(of: string, json: object) {
    const { status, body } = await call('POST', `${path}/${of}`, { key, json });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body;
  }
  const newWebhook = (at: string, fields: object = {}) =>
    make('webhooks', { webhook_url: receiver.url(`/${channel.id}${at}`), ...fields });
  const hitsAt = (at: string) => receiver.hits.filter((hit) => hit.path === `/${channel.id}${at}`);
  const bodiesAt = (at: string) => hitsAt(at).map(({ body }) => JSON.parse(body.toString()));
  const whenTold = (event_name: string) =>
    waitFor(event_name, () => bodiesAt('/ops').find((body) => body.event_name === event_name));
  const get = async (of: string) => (await call('GET', `${path}/${of}`, { key })).body;

  it('are told, signed, when another webhook starts failing and is paused for it', async () => {
    const ops = await newWebhook('/ops', { kind: 'operational', name: 'on call' });
    expect(ops.kind).to.equal('operational');
    const webhook = await newWebhook('/hook', { name: 'a subscriber' });
    expect(webhook).not.to.have.property('kind');
    receiver.reply({ status: 500, body: 'why' }, `/${channel.id}/hook`);
    const event = await make('events', { event_name: 'order.created' });

    const failing = await whenTold('webhook.failing');
    const { failing_since, duration_ms, ...data } = failing.data;
    const named = { webhook_id: webhook.id, name: 'a subscriber', webhook_url: receiver.url(`/${channel.id}/hook`) };
    expect(data).to.deep.equal({ ...named, event_id: event.id, status_code: 500, error: null });
    expect(failing).to.deep.include({ channel_id: channel.id, kind: 'operational' });
    const paused = await whenTold('webhook.auto_paused');
    expect(paused.data).to.deep.equal({ ...named, failing_since });

    const [hit] = hitsAt('/ops');
    const verify = () =>
      new Webhook(ops.signing_secret).verify(hit?.body ?? '', hit?.headers as Record<string, string>);
    expect(verify).not.to.throw();
    expect((await get(`webhooks/${webhook.id}`)).pause_reason).to.equal('failing');
    expect(bodiesAt('/hook').every(({ kind }) => kind === undefined)).to.equal(true);
    expect(bodiesAt('/ops').map(({ event_name }) => event_name)).to.have.members([
      'webhook.failing',
      'webhook.auto_paused',
    ]);
  });

  it('hear nothing of themselves or of each other, are not sent what is published, and are retried as any', async () => {
    const ops = await newWebhook('/ops', { kind: 'operational' });
    const other = await newWebhook('/other', { kind: 'operational' });
    await newWebhook('/hook');
    receiver.reply((_, nth) => ({ status: nth < 3 ? 500 : 200 }), `/${channel.id}/ops`);
    receiver.reply({ status: 503 }, `/${channel.id}/hook`);
    const event = await make('events', { event_name: 'a' });
    const [told] = await waitFor(
      'what was told',
      () => get('events?kind=operational'),
      (list) => list.length > 0,
    );
    const entries = await waitFor(
      'its delivery, the third time',
      () => get(`events/${told.id}/notification_log`),
      (log) => log.every(({ status }: { status: string }) => status === 'delivered'),
    );
    const attempts = Object.fromEntries(
      entries.map(({ webhook_id, attempts }: { webhook_id: number; attempts: object[] }) => [
        webhook_id,
        attempts.length,
      ]),
    );
    expect(attempts).to.deep.equal({ [ops.id]: 3, [other.id]: 1 });
    await whenTold('webhook.auto_paused');
    const about = new Set(bodiesAt('/ops').map(({ data }) => data.webhook_id));
    expect(about.has(ops.id) || about.has(other.id)).to.equal(false);
    expect([...bodiesAt('/ops'), ...bodiesAt('/other')].some(({ id }) => id === event.id)).to.equal(false);
    const skipped = await get(`events/${event.id}/notification_log?include=skipped`);
    expect(skipped).to.have.length(1);
  });

  it('have their events in lists and feeds of their own, and in no other', async () => {
    const ops = await newWebhook('/ops', { kind: 'operational' });
    const hook = await newWebhook('/hook');
    receiver.reply({ status: 500 }, `/${channel.id}/hook`);
    const event = await make('events', { event_name: 'a' });
    const told = await whenTold('webhook.failing');
    const ids = (list: { id: number }[]) => list.map(({ id }) => id);
    expect(ids(await get('events'))).to.deep.equal([event.id]);
    expect(ids(await get('events?kind=operational&event_name=webhook.failing'))).to.deep.equal([told.id]);
    expect(await get('events?kind=operational&event_name=a')).to.deep.equal([]);
    expect(ids((await get(`webhooks/${ops.id}/feed`)).events))
      .to.include(told.id)
      .and.not.include(event.id);
    expect(ids((await get(`webhooks/${hook.id}/feed`)).events)).to.deep.equal([event.id]);
    expect((await get(`events/${told.id}`)).kind).to.equal('operational');
    expect((await call('GET', `${path}/events?kind=events`, { key })).status).to.equal(422);
  });

  it('are made by the publisher, also with a form, and stay what they are', async () => {
    const form = await curl('POST', `${path}/webhooks`, [`webhook_url=${receiver.url('/f')}`, 'kind=operational'], key);
    expect([form.status, form.body.kind]).to.deep.equal([201, 'operational']);
    const wrong = await call('POST', `${path}/webhooks`, { key, json: { webhook_url: receiver.url(), kind: 'other' } });
    expect([wrong.status, Object.keys(wrongFields(wrong.body))]).to.deep.equal([422, ['kind']]);
    const plain = await newWebhook('/hook', { kind: 'events' });
    expect(plain).not.to.have.property('kind');
    const changed = await call('PUT', `${path}/webhooks/${plain.id}`, { key, json: { kind: 'operational' } });
    expect([changed.status, Object.keys(wrongFields(changed.body))]).to.deep.equal([422, ['kind']]);
    const forged = await call('POST', `${path}/events`, { key, json: { event_name: 'a', kind: 'operational' } });
    expect([forged.status, Object.keys(wrongFields(forged.body))]).to.deep.equal([422, ['kind']]);
    const [created] = await get(`webhooks/${form.body.id}/history`);
    expect(created.changes.kind).to.equal('operational');
    expect((await get(`webhooks/${form.body.id}?revision=0`)).kind).to.equal('operational');
  });

  it('can be pinged and have an event of theirs again; one of another kind is refused', async () => {
    const ops = await newWebhook('/ops', { kind: 'operational' });
    const hook = await newWebhook('/hook');
    await make(`webhooks/${ops.id}/ping`, {});
    await waitFor('the ping', () => bodiesAt('/ops').some(({ event_name }) => event_name === 'ping'));
    receiver.reply({ status: 500 }, `/${channel.id}/hook`);
    const event = await make('events', { event_name: 'a' });
    const told = await whenTold('webhook.failing');
    await make(`events/${told.id}/redeliver`, { webhook_id: ops.id });
    await waitFor('it again', () => bodiesAt('/ops').filter(({ id }) => id === told.id).length === 2);
    for (const [id, webhook_id] of [
      [told.id, hook.id],
      [event.id, ops.id],
    ]) {
      const refused = await call('POST', `${path}/events/${id}/redeliver`, { key, json: { webhook_id } });
      expect([refused.status, Object.keys(wrongFields(refused.body))]).to.deep.equal([422, ['webhook_id']]);
    }
  });
});

describe('an operational webhook that asks for certain events', () => {
  const stack = useStack({ RETRY_INTERVAL: '200ms', RETRY_WINDOW: '400ms' });
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver.close());

  it('is told when a delivery is given up, and nothing else', async () => {
    const { id, publisher_key: key } = await stack.newChannel();
    const make = async (of: string, json: object) =>
      (await stack.call('POST', `/v1/channels/${id}/${of}`, { key, json })).body;
    const names = { kind: 'operational', event_names: ['delivery.*'] };
    await make('webhooks', { webhook_url: receiver.url('/ops'), ...names });
    const hook = await make('webhooks', { webhook_url: receiver.url('/hook') });
    receiver.reply({ status: 404 }, '/hook');
    const event = await make('events', { event_name: 'a', ext_ref_code: 'r' });
    const [hit] = await receiver.whenHits(1, ({ path }) => path === '/ops');
    const told = JSON.parse(String(hit?.body));
    expect(told.event_name).to.equal('delivery.failed');
    const { last_attempt, attempt_count, ...data } = told.data;
    const ids = { event_id: event.id, event_name: 'a', ext_ref_code: 'r', webhook_id: hook.id };
    expect(data).to.deep.equal({ ...ids, webhook_url: receiver.url('/hook') });
    expect(last_attempt).to.deep.include({ status_code: 404, error: null });
    const log = await stack.call('GET', `/v1/channels/${id}/events/${event.id}/notification_log`, { key });
    expect(log.body[0]).to.deep.include({ webhook_id: hook.id, status: 'failed' });
    expect(log.body[0].attempts).to.have.length(attempt_count);
    expect(log.body[0].attempts.at(-1).at).to.equal(last_attempt.at);
    expect(receiver.hits.filter(({ path }) => path === '/ops')).to.have.length(1);
  });
});
