import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Api, apiAt, type NewWebhook } from '../../support/api.ts';
import { openBroker } from '../../support/broker.ts';
import type { Channel } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: a recovery that was answered delivers again what failed in its time, and, where that is asked for, what the webhook has missed: each event once,
 * whatever dies meanwhile. What is published meanwhile does not wait for it.
 */
describe('a recovery', function () {
  this.timeout(240_000);
  const EVENTS = 450;
  const BATCH = 150;
  const SINCE = '2025-01-01T00:00:00Z';
  const env = { RETRY_INTERVAL: '1h', RETRY_WINDOW: '0s' };
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: Channel;
  let webhook: NewWebhook;

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env });
    api = apiAt(stack.url);
  });
  beforeEach(async () => {
    receiver.reset();
    channel = await api.newChannel();
    webhook = await api.newWebhook(channel, receiver.url('/'));
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  const path = (of = webhook) => `/v1/channels/${channel.id}/webhooks/${of.id}`;
  const get = async (at: string) => (await api.call('GET', at, { key: channel.publisher_key })).body;
  async function recover(json: object, of = webhook, more = {}): Promise<string> {
    const { status, headers, body } = await api.call('POST', `${path(of)}/recover`, {
      key: channel.publisher_key,
      json,
      headers: more,
    });
    expect(status, JSON.stringify(body)).to.equal(201);
    return headers.get('location') ?? '';
  }
  const finished = (recovery: string) =>
    waitFor(
      'its end',
      () => get(recovery).catch(() => undefined),
      (seen) => seen?.status === 'finished',
      120_000,
    );

  async function publish(count: number): Promise<number[]> {
    const ids: number[] = [];
    for (let left = count; left > 0; left -= BATCH) {
      const json = { events: Array.from({ length: Math.min(left, BATCH) }, () => ({ event_name: 'a' })) };
      const { body } = await api.call('POST', `/v1/channels/${channel.id}/events/batch`, {
        ...{ key: channel.publisher_key, json },
      });
      ids.push(...body.ids);
    }
    return ids;
  }
  /** Publishes events all of whose deliveries have failed. */
  async function publishInVain(count = EVENTS): Promise<number[]> {
    receiver.reply({ status: 500 });
    const ids = await publish(count);
    for (const id of ids)
      await waitFor(
        'its failure',
        () => api.log(channel, id),
        ([entry]) => entry?.status === 'failed',
      );
    receiver.reply({});
    return ids;
  }
  async function expectRedelivered(ids: readonly number[]): Promise<void> {
    const wrong: object[] = [];
    for (const id of ids) {
      const [entry] = await api.log(channel, id);
      const triggers = entry?.attempts.map(({ trigger }) => trigger).join();
      if (entry?.status !== 'delivered' || triggers !== 'publish,redeliver') wrong.push({ id, entry });
    }
    expect(wrong).to.deep.equal([]);
  }
  const hitsOf = (ids: readonly number[]) => {
    const known = new Set(ids);
    return receiver.hits.map(({ body }) => JSON.parse(body.toString()).id).filter((id) => known.has(id));
  };

  it('delivers again what failed, once, and tells how far it is', async () => {
    const ids = await publishInVain();
    const delivered = await api.publish(channel);
    await waitFor('a delivery', async () => (await api.log(channel, delivered.id))[0]?.status === 'delivered');
    const once = { 'idempotency-key': 'recover once' };
    const asked = await Promise.all(Array.from({ length: 10 }, () => recover({ since: SINCE }, webhook, once)));
    const [recovery = ''] = asked;
    expect(new Set(asked), 'one of all repetitions').to.have.property('size', 1);
    const end = await finished(recovery);
    expect(end).to.deep.include({
      webhook_id: webhook.id,
      missing: false,
      found: { failed: EVENTS, missing: 0 },
      by: 'publisher',
    });
    expect(await get(`${path()}/recoveries`)).to.deep.equal([end]);
    await expectRedelivered(ids);
    expect(hitsOf(ids)).to.have.length(2 * EVENTS);
    expect(hitsOf([delivered.id])).to.have.length(1);
    const [entry] = await api.log(channel, ids[0] as number);
    const [redelivery] = (entry as unknown as { redeliveries: object[] }).redeliveries;
    expect(redelivery).to.include({ id: end.id, by: 'publisher', recovery: true });
    expect((await finished(await recover({ since: SINCE }))).found, 'a second one').to.deep.equal({
      failed: 0,
      missing: 0,
    });
  });

  it('keeps to its time', async () => {
    const [early] = await publishInVain(1);
    const [middle] = await publishInVain(1);
    const [late] = await publishInVain(1);
    const at = async (id?: number) => (await get(`/v1/channels/${channel.id}/events/${id}`)).published_at;
    const between = { since: await at(middle), until: await at(late) };
    expect((await finished(await recover(between))).found).to.deep.equal({ failed: 1, missing: 0 });
    const statuses = await Promise.all(
      [early, middle, late].map(async (id) => (await api.log(channel, id as number))[0]?.status),
    );
    expect(statuses).to.deep.equal(['failed', 'delivered', 'failed']);
  });

  it('also sends what was published before the webhook existed, where that is asked for', async () => {
    await api.call('DELETE', path(), { key: channel.publisher_key });
    const ids = await publish(EVENTS);
    const other = await api.newWebhook(channel, receiver.url('/other'));
    await api.call('POST', `${path(other)}/ping`, { key: channel.publisher_key });
    const late = await api.newWebhook(channel, receiver.url('/late'));
    expect((await finished(await recover({ since: SINCE }, late))).found).to.deep.equal({ failed: 0, missing: 0 });
    const end = await finished(await recover({ since: SINCE, missing: true }, late));
    expect(end.found).to.deep.equal({ failed: 0, missing: EVENTS });
    await receiver.whenHits(EVENTS, ({ path: to }) => to === '/late');
    const got = receiver.hitsAt('/late').map(({ body }) => JSON.parse(body.toString()).id);
    expect(got.toSorted((a, b) => a - b)).to.deep.equal(ids);
    expect(receiver.hitsAt('/other')).to.have.length(1);
  });

  it('goes on where it was when the relay is killed amid it: nothing is lost or doubled', async () => {
    const ids = await publishInVain();
    receiver.reset();
    receiver.reply({ delayMs: 20 });
    const recovery = await recover({ since: SINCE });
    for (const count of [20, 150, 250]) {
      await receiver.whenHits(count);
      await stack.kill9('projector+relay');
    }
    expect((await finished(recovery)).found).to.deep.equal({ failed: EVENTS, missing: 0 });
    await expectRedelivered(ids);
    expect(hitsOf(ids).toSorted((a, b) => a - b)).to.deep.equal(ids);
  });

  it('goes on when everything is killed amid it, and the queue is gone', async () => {
    const ids = await publishInVain();
    receiver.reset();
    receiver.reply({ delayMs: 20 });
    const recovery = await recover({ since: SINCE });
    await receiver.whenHits(130);
    await stack.kill9All();
    await rm(join(stack.dataDir, 'nats'), { recursive: true, force: true });
    stack = await startStack({ env, dataDir: stack.dataDir });
    api = apiAt(stack.url);
    expect((await finished(recovery)).found).to.deep.equal({ failed: EVENTS, missing: 0 });
    await expectRedelivered(ids);
  });

  it('goes on when the queue is thrown away amid it', async () => {
    const ids = await publishInVain();
    receiver.reset();
    receiver.reply({ delayMs: 20 });
    const recovery = await recover({ since: SINCE });
    const broker = await openBroker((await stack.run()).natsUrl as string);
    await receiver.whenHits(130);
    await broker.deleteStream();
    await broker.close();
    expect((await finished(recovery)).found).to.deep.equal({ failed: EVENTS, missing: 0 });
    await expectRedelivered(ids);
  });

  it('leaves what is published meanwhile its place: it does not wait for the rest of the recovery', async () => {
    const other = await api.newWebhook(channel, receiver.url('/other'));
    receiver.reply({}, '/other');
    const ids = await publishInVain();
    receiver.reset();
    receiver.reply({ delayMs: 20 }, '/');
    const recovery = await recover({ since: SINCE });
    await receiver.whenHits(10);
    const live = await api.publish(channel);
    await receiver.whenHits(
      1,
      ({ path: to, body }) => to === '/' && JSON.parse(body.toString()).id === live.id,
      60_000,
    );
    const before = hitsOf(ids).length;
    expect(before).to.be.lessThan(EVENTS);
    expect((await get(recovery)).status).to.equal('running');
    expect(receiver.hitsAt('/other'), `at ${other.id}`).to.have.length(1);
    await finished(recovery);
  });

  it('waits for a webhook that hangs with no more than a batch, and ends with it', async () => {
    const ids = await publishInVain();
    receiver.reset();
    receiver.reply({ behaviour: 'hang' }, '/');
    const other = await api.newWebhook(channel, receiver.url('/other'));
    const recovery = await recover({ since: SINCE });
    await receiver.whenHits(1);
    const { id } = await api.publish(channel);
    await receiver.whenHits(1, ({ path: to }) => to === '/other');
    expect((await get(recovery)).found.failed).to.be.within(1, 100);
    const again = () => api.call('POST', `${path()}/recover`, { key: webhook.subscriber_key, json: { since: SINCE } });
    const statuses: number[] = [];
    for (let n = 0; n < 3; n++) statuses.push((await again()).status);
    expect(statuses).to.deep.equal([201, 201, 409]);
    expect((await api.call('DELETE', path(), { key: channel.publisher_key })).status).to.equal(200);
    const entries = await api.log(channel, id);
    expect(entries.map(({ webhook_id, status }) => [webhook_id, status])).to.deep.include([webhook.id, 'cancelled']);
    expect(entries.map(({ webhook_id }) => webhook_id)).to.include(other.id);
    expect((await api.call('GET', recovery, { key: channel.publisher_key })).status).to.equal(404);
    expect(new Set(hitsOf(ids)).size).to.be.at.most(100);
  });
});
