import { expect } from 'chai';
import { type Client, createClient, isProblem, verify } from '../../../clients/typescript/src/index.ts';
import { checkDescribed } from '../../support/described.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { waitFor } from '../../support/wait.ts';
import { useStack } from '../api/support.ts';

const ADMIN_KEY = 'the admin key of these tests';

/** Answers that break off: so many of the next are lost on their way, after the server has made them. */
const lost = { next: 0 };

/** As the client's own, and holds each answer against the description of the API. */
async function checked(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
  const answer = await fetch(input, init);
  const { pathname, search } = new URL(String(input));
  const mediaType = answer.headers.get('content-type');
  const body = await answer.clone().json();
  checkDescribed({ method: init?.method ?? 'GET', path: pathname + search, status: answer.status, mediaType, body });
  if (lost.next === 0) return answer;
  lost.next--;
  throw new TypeError('fetch failed', { cause: new Error('the connection broke') });
}

/** The promise: whatever the API does, the client does, against the real thing. */
describe('the client', () => {
  const stack = useStack({ ADMIN_KEY, TREE_HEAD_INTERVAL: '100ms' });
  let receiver: Receiver;
  let admin: Client;
  before(async () => {
    receiver = await startReceiver();
    admin = clientOf(ADMIN_KEY);
  });
  after(() => receiver?.close());

  const clientOf = (key?: string) => createClient({ baseUrl: stack.url(), key, backoffMs: 1, fetch: checked });
  async function itemsOf<T>(list: AsyncIterable<T>): Promise<T[]> {
    const items: T[] = [];
    for await (const item of list) items.push(item);
    return items;
  }
  const errorOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error) => error,
    );

  async function makeScene(path: string) {
    const channel = await admin.channels.create({ name: 'a channel' });
    const publisher = clientOf(channel.publisher_key);
    const webhook = await publisher.webhooks.create(channel.id, { webhook_url: receiver.url(path) });
    return { channel, publisher, webhook, subscriber: clientOf(webhook.subscriber_key) };
  }

  it('manages channels', async () => {
    const { id } = await admin.channels.create({ name: 'one', guid: 'by-guid' });
    expect(await admin.channels.get('by-guid')).to.include({ id, name: 'one' });
    const before = new Date().toISOString();
    expect(await admin.channels.update(id, { name: 'two', description: 'a description' })).to.include({ name: 'two' });
    expect(await admin.channels.update(id, { description: null })).not.to.have.property('description');
    expect(await admin.channels.getAt(id, before)).to.include({ name: 'one' });
    expect(await itemsOf(admin.channels.list({ limit: 1 }))).to.deep.include(await admin.channels.get(id));
    const { publisher_key } = await admin.channels.get(id);
    expect((await admin.channels.rotateKey(id)).publisher_key).not.to.equal(publisher_key);
    const types = (await itemsOf(admin.channels.history(id, { limit: 1 }))).map(({ type }) => type);
    expect(types).to.deep.equal(['ChannelCreated', 'ChannelUpdated', 'ChannelUpdated', 'PublisherKeyRotated']);
    expect(await errorOf(admin.channels.create({ name: 'a', guid: 'by-guid' }))).to.satisfy((error: unknown) =>
      isProblem(error, 'guid-taken'),
    );
    expect(await admin.channels.delete(id)).to.deep.equal({ response: 'ok' });
    expect(await errorOf(admin.channels.get(id))).to.include({ status: 404, code: 'channel-not-found' });
  });

  it('manages webhooks, as their subscriber too', async () => {
    const { channel, publisher, webhook, subscriber } = await makeScene('/manages');
    const of = [channel.id, webhook.id] as const;
    expect(await subscriber.webhooks.update(...of, { name: 'mine' })).to.include({ name: 'mine' });
    expect(await subscriber.webhooks.getPast(...of, { revision: 0 })).not.to.have.property('name');
    expect(await subscriber.webhooks.pause(...of)).to.include({ paused: true, pause_reason: 'requested' });
    expect(await subscriber.webhooks.resume(...of)).to.include({ paused: false });
    expect((await publisher.webhooks.rotateSecret(...of)).signing_secret).not.to.equal(webhook.signing_secret);
    expect((await publisher.webhooks.rotateKey(...of)).subscriber_key).not.to.equal(webhook.subscriber_key);
    expect(await errorOf(subscriber.webhooks.get(...of))).to.include({ status: 403, code: 'key-refused' });
    expect(await itemsOf(publisher.webhooks.history(...of))).to.have.length(6);
    expect((await itemsOf(publisher.webhooks.list(channel.id))).map(({ id }) => id)).to.deep.equal([webhook.id]);
    expect(await publisher.webhooks.publicKeys(...of)).to.have.length.above(0);
    expect(await publisher.webhooks.delete(...of)).to.deep.equal({ response: 'ok' });
  });

  it('publishes, and tells what became of it', async () => {
    const { channel, publisher, webhook, subscriber } = await makeScene('/publishes');
    const event = await publisher.events.publish(channel.id, { event_name: 'order.created', data: { n: 1 } });
    const [hit] = await receiver.whenHits(1, ({ path }) => path === '/publishes');
    const delivered = await verify(webhook.signing_secret, hit as never);
    expect(delivered.event).to.deep.equal(event);
    const log = () => itemsOf(publisher.events.notificationLog(channel.id, event.id));
    const [entry] = await waitFor('its delivery', log, ([seen]) => seen?.status === 'delivered');
    expect(entry).to.deep.include({ webhook_id: webhook.id });
    expect(entry?.attempts[0]).to.deep.include({ status_code: 200, trigger: 'publish' });
    expect(await publisher.events.get(channel.id, event.id)).to.deep.equal(event);
    const [delivery] = await itemsOf(subscriber.webhooks.deliveries(channel.id, webhook.id, { status: 'delivered' }));
    expect(delivery).to.include({ event_id: event.id, attempt_count: 1 });
    const stats = await subscriber.webhooks.stats(channel.id, webhook.id, { series: 'day' });
    expect(stats.hour).to.include({ delivered: 1 });
    expect(stats.series).to.have.length(24);
    const redelivery = await publisher.events.redeliver(channel.id, event.id, { reason: 'for a test' });
    expect(redelivery).to.include({ event_id: event.id, reason: 'for a test', by: 'publisher' });
    const [, again] = await receiver.whenHits(2, ({ path }) => path === '/publishes');
    expect((await verify(webhook.signing_secret, again as never)).id).to.equal(delivered.id);
    const ping = await subscriber.webhooks.ping(channel.id, webhook.id);
    expect(ping).to.include({ event_name: 'ping', webhook_id: webhook.id });
  });

  it('publishes batches, and lists what was published by pages', async () => {
    const { channel, publisher } = await makeScene('/batches');
    const events = Array.from({ length: 5 }, (_, n) => ({ event_name: 'a', data: { n } }));
    const ids = await publisher.events.publishBatch(channel.id, events);
    const listed = await itemsOf(publisher.events.list(channel.id, { limit: 2, event_name: 'a' }));
    expect(listed.map(({ id }) => id)).to.deep.equal([...ids].reverse());
    const part = await publisher.channels.feed(channel.id, { limit: 250 });
    expect(part.events.map(({ id }) => id)).to.deep.equal([...ids]);
    const error = await errorOf(publisher.events.publishBatch(channel.id, [{ event_name: 'a' }, { event_name: '' }]));
    expect(error.errors.map(({ field }: { field: string }) => field)).to.deep.equal(['events[1].event_name']);
  });

  it('publishes once, however often the answer is lost', async () => {
    const { channel, publisher } = await makeScene('/once');
    lost.next = 3;
    const event = await publisher.events.publish(channel.id, { event_name: 'a' });
    lost.next = 2;
    const ids = await publisher.events.publishBatch(channel.id, [{ event_name: 'b' }, { event_name: 'c' }]);
    expect(lost.next).to.equal(0);
    const listed = await itemsOf(publisher.events.list(channel.id));
    expect(listed.map(({ id }) => id)).to.have.members([event.id, ...ids]);
    lost.next = 1;
    expect(await publisher.channels.delete(channel.id)).to.deep.equal({ response: 'ok' });
    expect(await publisher.channels.erase(channel.id)).to.deep.equal({ response: 'ok' });
    expect(await publisher.channels.erasure(channel.id)).to.include({ channel_id: channel.id, by: 'publisher' });
  });

  it('recovers what a webhook has missed', async () => {
    const { channel, publisher } = await makeScene('/before');
    const { id } = await publisher.events.publish(channel.id, { event_name: 'a' });
    const late = await publisher.webhooks.create(channel.id, { webhook_url: receiver.url('/late') });
    const wanted = { since: '2025-01-01T00:00:00Z', missing: true };
    const recovery = await publisher.recoveries.start(channel.id, late.id, wanted);
    const [hit] = await receiver.whenHits(1, ({ path }) => path === '/late');
    expect((await verify(late.signing_secret, hit as never)).event.id).to.equal(id);
    const finished = await waitFor(
      'its end',
      () => publisher.recoveries.get(channel.id, late.id, recovery.id),
      ({ status }) => status === 'finished',
    );
    expect(finished.found).to.deep.equal({ failed: 0, missing: 1 });
    expect(await itemsOf(publisher.recoveries.list(channel.id, late.id))).to.deep.equal([finished]);
    const entries = await itemsOf(publisher.events.notificationLog(channel.id, id));
    expect(entries.find(({ webhook_id }) => webhook_id === late.id)?.redeliveries?.[0]).to.include({ recovery: true });
  });

  it('follows a feed: what there was, what comes, and on from a cursor', async () => {
    const { channel, publisher, webhook, subscriber } = await makeScene('/feed');
    const first = await publisher.events.publishBatch(channel.id, [{ event_name: 'a' }, { event_name: 'b' }]);
    const abort = new AbortController();
    const seen: number[] = [];
    let cursor: string | undefined;
    const next = Promise.withResolvers<number>();
    for await (const followed of subscriber.webhooks.follow(channel.id, webhook.id, { signal: abort.signal })) {
      seen.push(followed.event.id);
      cursor = followed.cursor;
      if (seen.length === 2)
        void publisher.events.publish(channel.id, { event_name: 'c' }).then(({ id }) => next.resolve(id));
      if (seen.length === 3) abort.abort();
    }
    const third = await next.promise;
    expect(seen).to.deep.equal([...first, third]);
    const { id: fourth } = await publisher.events.publish(channel.id, { event_name: 'd' });
    for await (const { event } of subscriber.webhooks.follow(channel.id, webhook.id, { after: cursor })) {
      expect(event.id).to.equal(fourth);
      break;
    }
    const part = await subscriber.webhooks.feed(channel.id, webhook.id, { limit: 1 });
    expect(part.events.map(({ id }) => id)).to.deep.equal(first.slice(0, 1));
    for await (const { event } of publisher.channels.follow(channel.id)) {
      expect(event.id).to.equal(first[0]);
      break;
    }
    const ofChannel = await publisher.channels.feed(channel.id, { after: cursor });
    expect(ofChannel.events.map(({ id }) => id)).to.deep.equal([fourth]);
    const waiting = new AbortController();
    const end = itemsOf(subscriber.webhooks.follow(channel.id, webhook.id, { after: 'now', signal: waiting.signal }));
    waiting.abort();
    expect(await end).to.deep.equal([]);
  });

  it('reads the head of the tree over the log, and whether all is ready', async () => {
    await makeScene('/tree');
    const head = await waitFor('a head', () =>
      admin.checkpoint().catch((error) => (isProblem(error, 'no-checkpoint') ? undefined : Promise.reject(error))),
    );
    expect((await admin.checkpoint({ from: head?.tree_size })).consistency_proof).to.be.an('array');
    expect(await admin.readiness()).to.include({ status: 'ready' });
  });
});
