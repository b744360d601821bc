import { expect } from 'chai';
import { type Answered, type Api, apiAt, type LogEntry } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { waitFor } from '../../support/wait.ts';
import { type Channel, useStack, wrongFields } from './support.ts';

/** What becomes of an event once somebody asks that it be delivered again. */
describe('a redelivery', () => {
  const { call, newChannel, url } = useStack();
  let receiver: Receiver;
  let api: Api;
  let channel: Channel;
  before(async () => {
    receiver = await startReceiver();
    api = apiAt(url());
  });
  beforeEach(async () => {
    receiver.reset();
    channel = await newChannel();
  });
  after(() => receiver?.close());

  const path = (eventId: number) => `/v1/channels/${channel.id}/events/${eventId}/redeliver`;
  const redeliver = (eventId: number, json: object = {}, headers = {}): Promise<Answered> =>
    call('POST', path(eventId), { key: channel.publisher_key, json, headers });
  const entriesOnce = (eventId: number, isSo: (entries: LogEntry[]) => boolean) =>
    waitFor('the notification log', () => api.log(channel, eventId), isSo);
  const attemptsOf = (entry: LogEntry | undefined) => entry?.attempts.map(({ trigger }) => trigger);
  const hasAttempts = (count: number) => (entries: LogEntry[]) =>
    entries.some(({ attempts }) => attempts.length === count);

  it('of what was delivered is another POST with the same webhook-id, and joins the log with who asked, when and why', async () => {
    const webhook = await api.newWebhook(channel, receiver.url('/a'));
    const { id } = await api.publish(channel);
    await entriesOnce(id, hasAttempts(1));
    const { status, headers, body } = await redeliver(id, { reason: 'the shop had lost it' });
    expect(status, JSON.stringify(body)).to.equal(201);
    expect(headers.get('location')).to.equal(`/v1/channels/${channel.id}/events/${id}/notification_log`);
    const { id: redelivery_id, requested_at } = body;
    const asked = { id: redelivery_id, requested_at, by: 'publisher', reason: 'the shop had lost it' };
    expect(body).to.deep.equal({ event_id: id, ...asked });
    const [entry] = await entriesOnce(id, hasAttempts(2));
    expect(entry).to.deep.include({ webhook_id: webhook.id, status: 'delivered', redeliveries: [asked] });
    expect(attemptsOf(entry)).to.deep.equal(['publish', 'redeliver']);
    expect(entry?.attempts[1]).to.include({ redelivery_id });
    const [first, second] = receiver.hits;
    expect(second?.headers['webhook-id']).to.equal(first?.headers['webhook-id']);
    expect(second?.body).to.deep.equal(first?.body);
  });

  it('can be asked for again at once: each is made', async () => {
    await api.newWebhook(channel, receiver.url('/a'));
    const { id } = await api.publish(channel);
    for (let n = 1; n <= 3; n++) {
      await entriesOnce(id, hasAttempts(n));
      expect((await redeliver(id)).status).to.equal(201);
    }
    const [entry] = await entriesOnce(id, hasAttempts(4));
    expect(attemptsOf(entry)).to.deep.equal(['publish', 'redeliver', 'redeliver', 'redeliver']);
    expect(receiver.hits).to.have.length(4);
  });

  it('of what waits for a retry is made now, and moves that retry', async () => {
    receiver.reply({ status: 500 });
    await api.newWebhook(channel, receiver.url('/a'));
    const { id } = await api.publish(channel);
    const [before] = await entriesOnce(id, hasAttempts(1));
    expect(before?.status).to.equal('pending');
    await redeliver(id);
    const [entry] = await entriesOnce(id, hasAttempts(2));
    expect(attemptsOf(entry)).to.deep.equal(['publish', 'redeliver']);
    expect(entry?.status).to.equal('pending');
    expect(Date.parse(entry?.next_attempt_at ?? '') - Date.parse(entry?.attempts[1]?.at ?? '')).to.equal(3_600_000);
    receiver.reply({});
    await redeliver(id);
    const [after] = await entriesOnce(id, ([seen]) => seen?.status === 'delivered');
    expect(after?.attempts).to.have.length(3);
  });

  it('is for all webhooks of the log that are still there, or for the one that is named', async () => {
    const [one, other, gone] = await Promise.all(
      ['/1', '/2', '/3'].map((to) => api.newWebhook(channel, receiver.url(to))),
    );
    const { id } = await api.publish(channel);
    await entriesOnce(id, (entries) => entries.every(({ attempts }) => attempts.length === 1));
    await call('DELETE', `/v1/channels/${channel.id}/webhooks/${gone?.id}`, { key: channel.publisher_key });
    await api.newWebhook(channel, receiver.url('/later'));
    expect((await redeliver(id)).status).to.equal(201);
    await receiver.whenHits(2, ({ path: to }) => to === '/1' || to === '/2', 20_000);
    await entriesOnce(id, (entries) => entries.filter(({ attempts }) => attempts.length === 2).length === 2);
    expect((await redeliver(id, { webhook_id: other?.id })).body.webhook_id).to.equal(other?.id);
    const entries = await entriesOnce(id, hasAttempts(3));
    expect(entries.map(({ webhook_id, attempts }) => [webhook_id, attempts.length])).to.deep.equal(
      [
        [one?.id, 2],
        [other?.id, 3],
        [gone?.id, 1],
      ].toSorted(([a = 0], [b = 0]) => a - b),
    );
    expect(receiver.hitsAt('/later')).to.deep.equal([]);
  });

  it('can bring an event to a webhook that did not exist yet, and the log of before shows none of it', async () => {
    const { id } = await api.publish(channel);
    const before = new Date().toISOString();
    const late = await api.newWebhook(channel, receiver.url('/late'));
    expect(await api.log(channel, id)).to.deep.equal([]);
    expect((await redeliver(id, { webhook_id: late.id })).status).to.equal(201);
    const [entry] = await entriesOnce(id, hasAttempts(1));
    expect(entry).to.include({ webhook_id: late.id, status: 'delivered' });
    expect(attemptsOf(entry)).to.deep.equal(['redeliver']);
    const logOf = `/v1/channels/${channel.id}/events/${id}/notification_log`;
    const at = async (time: string) =>
      (await call('GET', `${logOf}?at=${encodeURIComponent(time)}`, { key: channel.publisher_key })).body;
    expect(await at('2999-01-01T00:00:00Z')).to.deep.equal([entry]);
    expect(await at(before)).to.deep.equal([]);
    const [proven] = (await call('GET', `${logOf}?proof=1`, { key: channel.publisher_key })).body;
    expect(proven.proof.facts.map(({ type }: { type: string }) => type)).to.deep.equal([
      ...['EventPublished', 'RedeliveryRequested', 'DeliveryAttempted'],
    ]);
  });

  it('is refused where there is nobody to deliver to', async () => {
    const { id } = await api.publish(channel);
    const none = await redeliver(id);
    expect([none.status, none.body.type]).to.deep.equal([409, '/docs/errors#nothing-to-redeliver']);
    receiver.reply({ status: 500 });
    const webhook = await api.newWebhook(channel, receiver.url('/a'));
    const cancelled = await api.publish(channel);
    await entriesOnce(cancelled.id, hasAttempts(1));
    await call('DELETE', `/v1/channels/${channel.id}/webhooks/${webhook.id}`, { key: channel.publisher_key });
    expect((await api.log(channel, cancelled.id))[0]?.status).to.equal('cancelled');
    expect((await redeliver(cancelled.id)).status).to.equal(409);
    const other = await newChannel();
    const theirs = await api.newWebhook(other, receiver.url('/theirs'));
    for (const webhook_id of [webhook.id, theirs.id, 1]) {
      const { status, body } = await redeliver(id, { webhook_id });
      expect([status, body.type]).to.deep.equal([404, '/docs/errors#webhook-not-found']);
      expect(wrongFields(body)).to.have.key('webhook_id');
    }
    expect((await redeliver(1)).status).to.equal(404);
    for (const [field, value] of Object.entries({ webhook_id: 'x', reason: '', nothing: 1 })) {
      const { status, body } = await redeliver(id, { [field]: value });
      expect([status, Object.keys(wrongFields(body))]).to.deep.equal([422, [field]]);
    }
  });

  it('happens once where its request is repeated, and takes a form', async () => {
    const webhook = await api.newWebhook(channel, receiver.url('/a'));
    const { id } = await api.publish(channel);
    await entriesOnce(id, hasAttempts(1));
    const headers = { 'idempotency-key': 'again, once' };
    const answers = await Promise.all(Array.from({ length: 20 }, () => redeliver(id, {}, headers)));
    for (const { status, body } of answers) expect([status, body]).to.deep.equal([201, answers[0]?.body]);
    await entriesOnce(id, hasAttempts(2));
    await call('DELETE', `/v1/channels/${channel.id}/webhooks/${webhook.id}`, { key: channel.publisher_key });
    expect((await redeliver(id, {}, headers)).body).to.deep.equal(answers[0]?.body);
    expect((await redeliver(id, { reason: 'another' }, headers)).status).to.equal(409);
    const next = await api.newWebhook(channel, receiver.url('/b'));
    const form = { webhook_id: String(next.id) };
    expect((await call('POST', path(id), { key: channel.publisher_key, form })).status).to.equal(201);
    await receiver.whenHits(1, ({ path: to }) => to === '/b');
    expect(receiver.hitsAt('/a')).to.have.length(2);
  });
});

describe('a ping', () => {
  const { call, newChannel, url } = useStack();
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver?.close());

  it('goes to one webhook alone, whose subscriber may send it and see what became of it', async () => {
    const api = apiAt(url());
    const channel = await newChannel();
    const [one, other] = await Promise.all(['/1', '/2'].map((to) => api.newWebhook(channel, receiver.url(to))));
    for (const key of [one?.subscriber_key, channel.publisher_key]) {
      const { status, headers, body } = await call('POST', `/v1/channels/${channel.id}/webhooks/${one?.id}/ping`, {
        key,
      });
      expect(status, JSON.stringify(body)).to.equal(201);
      expect(body).to.deep.include({ channel_id: channel.id, event_name: 'ping', webhook_id: one?.id });
      const log = `/v1/channels/${channel.id}/events/${body.id}/notification_log`;
      expect(headers.get('location')).to.equal(log);
      const { body: entries } = await waitFor(
        'its delivery',
        () => call('GET', log, { key }),
        (seen) => seen.body[0]?.status === 'delivered',
      );
      expect(entries.map(({ webhook_id }: LogEntry) => webhook_id)).to.deep.equal([one?.id]);
      expect((await call('GET', log, { key: other?.subscriber_key })).body).to.deep.equal([]);
      const [hit] = receiver.hitsAt('/1').slice(-1);
      expect(JSON.parse(hit?.body.toString() ?? '')).to.deep.equal(body);
      const elsewhere = await call('POST', `/v1/channels/${channel.id}/events/${body.id}/redeliver`, {
        ...{ key: channel.publisher_key, json: { webhook_id: other?.id } },
      });
      expect([elsewhere.status, Object.keys(wrongFields(elsewhere.body))]).to.deep.equal([422, ['webhook_id']]);
    }
    expect(receiver.hitsAt('/2')).to.deep.equal([]);
    const { body: events } = await call('GET', `/v1/channels/${channel.id}/events`, { key: channel.publisher_key });
    expect(events.map(({ webhook_id }: { webhook_id: number }) => webhook_id)).to.deep.equal([one?.id, one?.id]);
  });

  it('is one where its request is repeated', async () => {
    const api = apiAt(url());
    const channel = await newChannel();
    const { id } = await api.newWebhook(channel, receiver.url('/once'));
    const headers = { 'idempotency-key': 'one ping' };
    const send = () =>
      call('POST', `/v1/channels/${channel.id}/webhooks/${id}/ping`, { key: channel.publisher_key, headers });
    const [first, ...others] = await Promise.all(Array.from({ length: 10 }, send));
    for (const { status, body } of others) expect([status, body]).to.deep.equal([201, first?.body]);
    const { body: events } = await call('GET', `/v1/channels/${channel.id}/events`, { key: channel.publisher_key });
    expect(events).to.have.length(1);
  });
});
