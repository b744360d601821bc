import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Answered, apiAt, type NewWebhook } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';
import { type InProcess, startInProcess } from './in-process.ts';
import { type Channel, useStack, wrongFields } from './support.ts';

const pathOf = (channel: Channel, webhook: { id: number }) => `/v1/channels/${channel.id}/webhooks/${webhook.id}/feed`;
const idsIn = ({ status, body }: Answered): number[] => {
  expect(status, JSON.stringify(body)).to.equal(200);
  return body.events.map(({ id }: { id: number }) => id);
};

describe('the feed of a webhook', () => {
  const { call, newChannel, stack } = useStack();
  let receiver: Receiver;
  let channel: Channel;
  let webhook: NewWebhook;

  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver?.close());
  beforeEach(async () => {
    receiver.reset();
    channel = await newChannel();
    webhook = await newWebhook();
  });

  async function made(rest: string, json: object) {
    const { status, body } = await call('POST', `/v1/channels/${channel.id}/${rest}`, {
      ...{ key: channel.publisher_key, json },
    });
    expect(status, JSON.stringify(body)).to.be.within(200, 201);
    return body;
  }
  const newWebhook = (): Promise<NewWebhook> => made('webhooks', { webhook_url: receiver.url('/hook') });
  const publish = (fields: object = {}) => made('events', { event_name: 'order.created', ...fields });
  const feed = (query = '', key = webhook.subscriber_key) => call('GET', pathOf(channel, webhook) + query, { key });

  it('has what the webhook is sent, in the order of publication, for its subscriber and the publisher', async () => {
    const published = [];
    for (let n = 0; n < 5; n++) published.push(await publish({ ext_ref_code: `${n}`, data: { 2: 'b', 1: 'a', n } }));
    const { body } = await feed();
    expect(body.events).to.deep.equal(published);
    const hits = await receiver.whenHits(5);
    const bodies = body.events.map((event: object) => JSON.stringify(event));
    expect(bodies).to.have.members(hits.map((hit) => hit.body.toString()));
    expect((await feed('', channel.publisher_key)).body).to.deep.equal(body);
  });

  it('begins with the creation of the webhook, or now, and goes on from a cursor', async () => {
    const late = await newWebhook();
    const [first, second] = [await publish(), await publish()];
    webhook = late;
    const start = await feed('?limit=1');
    expect(idsIn(start)).to.deep.equal([first.id]);
    const next = await feed(`?after=${start.body.cursor}`);
    expect(idsIn(next)).to.deep.equal([second.id]);
    const end = await feed(`?after=${next.body.cursor}`);
    expect(end.body).to.deep.equal({ events: [], cursor: next.body.cursor });
    const now = await feed('?after=now');
    expect(idsIn(now)).to.deep.equal([]);
    const third = await publish();
    expect(idsIn(await feed(`?after=${now.body.cursor}`))).to.deep.equal([third.id]);
    expect(idsIn(await feed(`?after=${end.body.cursor}`))).to.deep.equal([third.id]);
    webhook = await newWebhook();
    expect(idsIn(await feed())).to.deep.equal([]);
  });

  it('answers a request that waits as soon as there is something', async () => {
    await publish();
    const { cursor } = (await feed()).body;
    const waiting = feed(`?after=${cursor}&wait=60s`);
    const other = await newChannel();
    await call('POST', `/v1/channels/${other.id}/events`, { key: other.publisher_key, json: { event_name: 'a' } });
    const { id } = await publish();
    expect(idsIn(await waiting)).to.deep.equal([id]);
  });

  it('answers with nothing where nothing comes in that time', async () => {
    const { cursor } = (await feed('?after=now')).body;
    expect((await feed(`?after=${cursor}&wait=100ms`)).body).to.deep.equal({ events: [], cursor });
  });

  it('lets no key be answered that has been replaced while it waited, and no webhook that was deleted', async () => {
    const rotated = feed('?after=now&wait=60s');
    await made(`webhooks/${webhook.id}/rotate_key`, {});
    await publish();
    expect((await rotated).status).to.equal(403);
    const deleted = feed('?after=now&wait=60s', channel.publisher_key);
    await call('DELETE', `/v1/channels/${channel.id}/webhooks/${webhook.id}`, { key: channel.publisher_key });
    await publish();
    expect((await deleted).status).to.equal(404);
  });

  it('holds up to ten requests that wait for one webhook, and forgets those whose client has gone', async () => {
    const abort = new AbortController();
    const hold = () =>
      fetch(`${stack().url}${pathOf(channel, webhook)}?after=now&wait=60s`, {
        headers: { authorization: `Bearer ${webhook.subscriber_key}` },
        signal: abort.signal,
      }).catch(() => undefined);
    const held = Array.from({ length: 10 }, hold);
    const refused = await waitFor(
      'a refusal',
      () => feed('?after=now&wait=50ms'),
      ({ status }) => status === 429,
    );
    expect(refused.body.type).to.equal('/docs/errors#too-many-waiting');
    expect(refused.headers.get('retry-after')).to.equal('1');
    expect((await feed('?after=now')).status).to.equal(200);
    abort.abort();
    await Promise.all(held);
    await waitFor(
      'room',
      () => feed('?after=now&wait=50ms'),
      ({ status }) => status === 200,
    );
  });

  it('refuses what is no cursor or no time to wait', async () => {
    const beyond = Buffer.from(`1.${Number.MAX_SAFE_INTEGER}`).toString('base64url');
    const CASES: Record<string, object> = {
      '?after=x': { after: 'must be a cursor, or now' },
      '?after=': { after: 'must be a cursor, or now' },
      '?after=12': { after: 'must be a cursor, or now' },
      [`?after=${beyond}`]: { after: 'lies behind the end of the log: begin anew without it' },
      '?wait=61s': { wait: 'must be a duration such as 30s, 60s at most' },
      '?wait=30': { wait: 'must be a duration such as 30s, 60s at most' },
      '?limit=0': { limit: 'must be a whole number from 1 to 250' },
      '?status=failed': { status: 'is not known here' },
    };
    for (const [query, wrong] of Object.entries(CASES)) {
      const { status, body } = await feed(query);
      expect(status, query).to.equal(422);
      expect(wrongFields(body), query).to.deep.equal(wrong);
    }
  });
});

/** The promise: who follows the cursor gets each event of a webhook once, in the order of the log, whatever happens in between. */
describe('the feed of a webhook, followed', () => {
  it('goes on from a cursor after a kill of everything, and after the read models were lost', async () => {
    const first = await startStack();
    const api = apiAt(first.url);
    const channel = await api.newChannel();
    const webhook = await api.newWebhook(channel, 'http://127.0.0.1:9/');
    const ids: number[] = [];
    for (let n = 0; n < 3; n++) ids.push((await api.publish(channel)).id);
    const read = (of: typeof api, query: string) =>
      of.call('GET', pathOf(channel, webhook) + query, { key: webhook.subscriber_key });
    const start = await read(api, '?limit=2');
    await first.kill9All();
    for (const file of readdirSync(first.dataDir)) {
      if (file.startsWith('read-models')) rmSync(join(first.dataDir, file));
    }
    const second = await startStack({ dataDir: first.dataDir });
    const again = apiAt(second.url);
    ids.push((await again.publish(channel)).id);
    const rest = await read(again, `?after=${start.body.cursor}`);
    expect([...idsIn(start), ...idsIn(rest)]).to.deep.equal(ids);
    await second.stop();
  });

  describe('at several gateways', () => {
    let parts: InProcess;
    before(async () => {
      parts = await startInProcess();
    });
    after(() => parts?.stop());
    afterEach(() => parts.straighten());

    async function scene() {
      const [one, two] = [await parts.startGateway(), await parts.startGateway()];
      const channel = await one.newChannel();
      const webhook = await one.newWebhook(channel, 'http://127.0.0.1:9/');
      await waitFor('the webhook', () => parts.hasWebhook(webhook.id));
      const feed = (query: string, gateway = two) =>
        gateway.call('GET', pathOf(channel, webhook) + query, { key: webhook.subscriber_key });
      return { one, two, channel, webhook, feed };
    }

    it('leaves out no event whose id is lower than that of one that came before it', async () => {
      const { one, two, channel, feed } = await scene();
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      let isHeld = false;
      parts.bend(async (append, ...args) => {
        isHeld = true;
        await released;
        return append(...args);
      });
      const held = one.publish(channel);
      await waitFor('an append that is held', () => isHeld);
      parts.straighten();
      const quick = await two.publish(channel);
      const first = await feed('');
      expect(idsIn(first)).to.deep.equal([quick.id]);
      release();
      const { id } = await held;
      expect(id).to.be.lessThan(quick.id);
      expect(idsIn(await feed(`?after=${first.body.cursor}&wait=60s`))).to.deep.equal([id]);
      expect(idsIn(await feed(''))).to.deep.equal([quick.id, id]);
      await Promise.all([one.stop(), two.stop()]);
    });

    it('leaves out nothing where its read models are behind', async () => {
      const { one, two, channel, feed } = await scene();
      const { cursor } = (await feed('?after=now')).body;
      await parts.stopProjector();
      const { id } = await one.publish(channel);
      const behind = await feed(`?after=${cursor}`);
      expect(behind.body).to.deep.equal({ events: [], cursor });
      const waiting = feed(`?after=${cursor}&wait=60s`);
      await parts.startProjector();
      expect(idsIn(await waiting)).to.deep.equal([id]);
      await Promise.all([one.stop(), two.stop()]);
    });

    it('answers those who wait when it stops', async () => {
      const { one, two, feed } = await scene();
      const { cursor } = (await feed('?after=now')).body;
      const waiting = feed(`?after=${cursor}&wait=60s`);
      const idle = feed(`?after=${cursor}&wait=1ms`);
      await idle;
      await two.stop();
      const { status, headers, body } = await waiting;
      expect({ status, body }).to.deep.equal({ status: 200, body: { events: [], cursor } });
      expect(headers.get('connection')).to.equal('close');
      await one.stop();
    });
  });
});
