import { expect } from 'chai';
import type { DeliveryFact } from '../../../domain/delivery.ts';
import { stream } from '../../../domain/facts.ts';
import { connectEventStore, type EventStore } from '../../../infra/event-store/client.ts';
import { type Api, apiAt, type LogEntry } from '../../support/api.ts';
import type { Channel } from '../../support/load.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: what waits is delivered with the webhook's settings at the time of the attempt, and not at all once its webhook or
 * channel is deleted. An event meets the webhooks that existed when it was published, no others.
 */
describe('changes while events wait', () => {
  let receiver: Receiver;
  let stack: Stack;
  let store: EventStore;
  let api: Api;
  let channel: Channel;

  before(async () => {
    receiver = await startReceiver();
    stack = await startStack({ env: { RETRY_INTERVAL: '1s', RETRY_WINDOW: '10m' } });
    store = connectEventStore((await stack.run()).eventstoreUrl as string);
    api = apiAt(stack.url);
  });
  beforeEach(async () => {
    receiver.reset();
    channel = await api.newChannel();
  });
  after(async () => {
    await store?.close();
    await stack?.stop();
    await receiver?.close();
  });

  /** An event whose first attempt at `path` has failed. */
  async function waitingEvent(path: string) {
    receiver.reply({ status: 500 }, path);
    const webhook = await api.newWebhook(channel, receiver.url(path));
    const { id } = await api.publish(channel);
    await receiver.whenHits(1, (hit) => hit.path === path);
    return { id, path: `/v1/channels/${channel.id}/webhooks/${webhook.id}`, key: channel.publisher_key };
  }

  const entryOf = async (eventId: number): Promise<LogEntry | undefined> => (await api.log(channel, eventId))[0];

  it('outpost #131: a new URL holds for what already waits, and the log says which settings each attempt used', async () => {
    const { id, path, key } = await waitingEvent('/old');
    await api.call('PUT', path, { key, json: { webhook_url: receiver.url('/new') } });
    await expectMoved(id);
  });

  it('outpost #131: a POST that is under way when the URL changes stays where it is, the next attempt goes to the new one', async () => {
    const { promise: changed, resolve: answerNow } = Promise.withResolvers<void>();
    receiver.reply({ status: 500, after: changed }, '/old');
    const webhook = await api.newWebhook(channel, receiver.url('/old'));
    const { id } = await api.publish(channel);
    await receiver.whenHits(1, (hit) => hit.path === '/old');
    const path = `/v1/channels/${channel.id}/webhooks/${webhook.id}`;
    await api.call('PUT', path, { key: channel.publisher_key, json: { webhook_url: receiver.url('/new') } });
    answerNow();
    await expectMoved(id);
    expect(receiver.hits.map((hit) => hit.path)).to.deep.equal(['/old', '/new']);
  });

  /** The last attempt went to the new URL with the new settings, those before it to the old one. */
  async function expectMoved(id: number) {
    const [hit] = await receiver.whenHits(1, (hit) => hit.path === '/new');
    expect(JSON.parse(String(hit?.body)).id).to.equal(id);
    const entry = await waitFor(
      'the delivery',
      () => entryOf(id),
      (seen) => seen?.status === 'delivered',
    );
    expect(entry?.webhook_url).to.equal(receiver.url('/new'));
    const attempts = entry?.attempts.map(({ status_code, webhook_revision }) => [status_code, webhook_revision]);
    const before = receiver.hitsAt('/old');
    expect(attempts).to.deep.equal([...before.map(() => [500, 0]), [200, 1]]);
    const facts = await store.read<DeliveryFact>(stream.deliveries(channel.id));
    expect(facts.map(({ data }) => data.webhook_url)).to.deep.equal(
      [...before.map(() => '/old'), '/new'].map((path) => receiver.url(path)),
    );
  }

  it('a deleted webhook gets nothing more: cancelled', async () => {
    const { id, path, key } = await waitingEvent('/deleted');
    await api.call('DELETE', path, { key });
    expect(await entryOf(id)).to.include({ status: 'cancelled', next_attempt_at: null });
    await expectSilence('/deleted', id);
  });

  it('a deleted channel gets nothing more, and its log is gone with it', async () => {
    const { id, key } = await waitingEvent('/ended');
    await api.call('DELETE', `/v1/channels/${channel.id}`, { key });
    const log = await api.call('GET', `/v1/channels/${channel.id}/events/${id}/notification_log`, { key });
    expect(log.status).to.equal(404);
    await expectSilence('/ended', id);
  });

  it('an event does not meet a webhook that came after it', async () => {
    const { id } = await api.publish(channel);
    const webhook = await api.newWebhook(channel, receiver.url('/late'));
    const later = await api.publish(channel);
    const [hit] = await receiver.whenHits(1, (hit) => hit.path === '/late');
    expect(JSON.parse(String(hit?.body)).id).to.equal(later.id);
    expect(await api.log(channel, id)).to.deep.equal([]);
    expect((await api.log(channel, later.id)).map((entry) => entry.webhook_id)).to.deep.equal([webhook.id]);
  });

  /** Lets another delivery, published later, go through three attempts: one that was still to come would have been made by then. */
  async function expectSilence(path: string, eventId: number) {
    const before = receiver.hitsAt(path).length;
    receiver.reply({ status: 500 }, '/witness');
    const witness = await api.newChannel();
    await api.newWebhook(witness, receiver.url('/witness'));
    await api.publish(witness);
    await receiver.whenHits(3, (hit) => hit.path === '/witness');
    const hits = receiver.hitsAt(path);
    expect(hits.length, `hits of event ${eventId}`).to.equal(before);
  }
});
