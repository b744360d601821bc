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
    const { body: webhook } = await call('POST', `${path}/webhooks`, { key, json });
    expect(webhook.failing_since).to.equal(null);
    const failingSince = async () => {
      const { body: one } = await call('GET', `${path}/webhooks/${webhook.id}`, { key: webhook.subscriber_key });
      const { body: all } = await call('GET', `${path}/webhooks`, { key });
      const [listed] = all;
      return [one.failing_since, listed.failing_since];
    };

    receiver.reply({ status: 500 }, '/hook');
    const { body: event } = await call('POST', `${path}/events`, { key, json: { event_name: 'a' } });
    const log = async (): Promise<LogEntry[]> =>
      (await call('GET', `${path}/events/${event.id}/notification_log`, { key })).body;
    const [entry] = await waitFor('three attempts', log, ([seen]) => (seen?.attempts.length ?? 0) >= 3);
    const since = entry?.attempts[0]?.at;
    expect(await failingSince()).to.deep.equal([since, since]);
    const { body: changed } = await call('PUT', `${path}/webhooks/${webhook.id}`, { key, json: { name: 'a' } });
    expect(changed.failing_since).to.equal(since);

    receiver.reply({ status: 200 }, '/hook');
    await waitFor('the delivery', log, ([seen]) => seen?.status === 'delivered');
    expect(await failingSince()).to.deep.equal([null, null]);
  });
});
