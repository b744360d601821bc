import { expect } from 'chai';
import type { LogEntry } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { waitFor } from '../../support/wait.ts';
import { type Channel, useStack } from './support.ts';

describe('the health of a webhook', () => {
  const { call, newChannel } = useStack({ RETRY_INTERVAL: '200ms', RETRY_WINDOW: '10m' });
  let receiver: Receiver;
  let channel: Channel;
  before(async () => {
    receiver = await startReceiver();
    channel = await newChannel();
  });
  after(() => receiver.close());

  it('says since when it has failed, until it succeeds', async () => {
    const key = channel.publisher_key;
    const path = `/v1/channels/${channel.id}`;
    const json = { webhook_url: receiver.url('/hook') };
    const create = () =>
      call('POST', `${path}/webhooks`, { key, json, headers: { 'idempotency-key': 'the only one' } });
    const { body: webhook } = await create();
    const failingSince = async () => {
      const { body: one } = await call('GET', `${path}/webhooks/${webhook.id}`, { key: webhook.subscriber_key });
      const { body: all } = await call('GET', `${path}/webhooks`, { key });
      const [listed] = all;
      return [one.failing_since, listed.failing_since];
    };

    expect(await failingSince()).to.deep.equal([null, null]);

    receiver.reply({ status: 500 }, '/hook');
    const { body: event } = await call('POST', `${path}/events`, { key, json: { event_name: 'a' } });
    const log = async (): Promise<LogEntry[]> =>
      (await call('GET', `${path}/events/${event.id}/notification_log`, { key })).body;
    const [entry] = await waitFor('three attempts', log, ([seen]) => (seen?.attempts.length ?? 0) >= 3);
    const since = entry?.attempts[0]?.at;
    expect(await failingSince()).to.deep.equal([since, since]);
    expect((await create()).body, 'as at first').to.deep.equal(webhook);
    const { body: changed } = await call('PUT', `${path}/webhooks/${webhook.id}`, { key, json: { name: 'a' } });
    expect(changed.failing_since).to.equal(since);

    receiver.reply({ status: 200 }, '/hook');
    await waitFor('the delivery', log, ([seen]) => seen?.status === 'delivered');
    expect(await failingSince()).to.deep.equal([null, null]);
  });
});

describe('AUTO_PAUSE_AFTER', () => {
  const { call, newChannel } = useStack({ RETRY_INTERVAL: '200ms', RETRY_WINDOW: '10m', AUTO_PAUSE_AFTER: '1s' });
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver.close());

  it('pauses a webhook that has failed for so long, once, and again only when it has failed as long since it was resumed', async () => {
    receiver.reply({ status: 500 });
    const channel = await newChannel();
    const key = channel.publisher_key;
    const path = `/v1/channels/${channel.id}`;
    const { body: webhook } = await call('POST', `${path}/webhooks`, { key, json: { webhook_url: receiver.url() } });
    const itself = `${path}/webhooks/${webhook.id}`;
    const events: number[] = [];
    for (let i = 0; i < 20; i++) {
      events.push((await call('POST', `${path}/events`, { key, json: { event_name: 'a' } })).body.id);
    }
    const entryOf = async (id: number): Promise<LogEntry> =>
      (await call('GET', `${path}/events/${id}/notification_log`, { key })).body[0];
    const whenPaused = () =>
      waitFor(
        'the pause',
        async () => (await call('GET', itself, { key })).body,
        ({ paused }) => paused,
      );
    const resume = () => call('PUT', itself, { key, json: { paused: false } });
    const pauses = async () => {
      const { body } = await call('GET', `${itself}/history`, { key });
      return body.filter(({ type }: { type: string }) => type === 'WebhookPaused');
    };

    const paused = await whenPaused();
    expect(paused.pause_reason).to.equal('failing');
    expect(Date.parse(paused.failing_since)).to.be.a('number');
    const [first, ...others] = await pauses();
    expect(others).to.deep.equal([]);
    expect(first.by).to.equal('system');
    expect(first.changes).to.deep.equal({ paused: true, reason: 'failing', failing_since: paused.failing_since });
    expect(events.map(String)).to.include(first.request_id);
    for (const id of events) {
      await waitFor(
        'what waits',
        () => entryOf(id),
        ({ status, next_attempt_at }) => status === 'pending' && next_attempt_at === null,
      );
    }

    const beforeMs = Date.now();
    await resume();
    const again = await whenPaused();
    expect(again.failing_since).to.equal(paused.failing_since);
    expect(await pauses()).to.have.length(2);
    const attempts = (await Promise.all(events.map(entryOf))).flatMap((entry) => entry.attempts);
    expect(Math.max(...attempts.map(({ at }) => Date.parse(at)))).to.be.at.least(beforeMs + 1_000);

    receiver.reply({ status: 200 });
    await resume();
    for (const id of events) {
      await waitFor(
        'the delivery',
        () => entryOf(id),
        ({ status }) => status === 'delivered',
      );
    }
    const { body: well } = await call('GET', itself, { key });
    expect(well).to.include({ paused: false, failing_since: null });
    expect(await pauses()).to.have.length(2);
  });
});
