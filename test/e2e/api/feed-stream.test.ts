import { request } from 'node:http';
import { expect } from 'chai';
import type { NewWebhook } from '../../support/api.ts';
import { waitFor } from '../../support/wait.ts';
import { type InProcess, startInProcess } from './in-process.ts';
import { type Channel, useStack } from './support.ts';

interface Message {
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: an event, which each test knows
  readonly data: any;
}

/** A client of a stream: what it has been told so far. */
async function listen(url: string, key: string, headers: Record<string, string> = {}) {
  const sent = { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...headers };
  const abort = new AbortController();
  const answer = await fetch(url, { headers: sent, signal: abort.signal });
  const messages: Message[] = [];
  const state = { isOver: false, lastId: '' };
  const reading = (async () => {
    let text = '';
    for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (text + part).split('\n\n');
      text = blocks.pop() as string;
      for (const block of blocks) take(block);
    }
    state.isOver = true;
  })().catch(() => undefined);

  function take(block: string) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    state.lastId = field('id') ?? state.lastId;
    const data = field('data');
    if (data !== undefined) messages.push({ id: state.lastId, data: JSON.parse(data) });
  }

  return {
    ...{ status: answer.status, headers: answer.headers, messages, state },
    ids: () => messages.map(({ data }) => data.id),
    whenTold: (count: number) => waitFor('what is told', () => messages.length >= count),
    whenOver: () => waitFor('its end', () => state.isOver),
    async leave() {
      abort.abort();
      await reading;
    },
  };
}

describe('a feed as a stream', () => {
  const { call, newChannel, url } = useStack();
  let channel: Channel;
  let webhook: NewWebhook;
  beforeEach(async () => {
    channel = await newChannel();
    webhook = await made('webhooks', { webhook_url: 'http://127.0.0.1:9/' });
  });

  async function made(rest: string, json: object) {
    const path = `/v1/channels/${channel.id}/${rest}`;
    const { status, body } = await call('POST', path, { key: channel.publisher_key, json });
    expect(status, JSON.stringify(body)).to.be.within(200, 201);
    return body;
  }
  const publish = (fields: object = {}) => made('events', { event_name: 'order.created', ...fields });
  const feed = (query = '') => `${url()}/v1/channels/${channel.id}/feed${query}`;
  const ownFeed = (query = '') => `${url()}/v1/channels/${channel.id}/webhooks/${webhook.id}/feed${query}`;

  it('tells what there is, and then what comes, in the order of publication', async () => {
    const first = await publish({ data: { text: 'two\n\nlines' } });
    const client = await listen(feed(), channel.publisher_key);
    expect(client.status).to.equal(200);
    expect(client.headers.get('content-type')).to.equal('text/event-stream');
    expect(client.headers.get('cache-control')).to.equal('no-store');
    await client.whenTold(1);
    const second = await publish();
    const ping = await made(`webhooks/${webhook.id}/ping`, {});
    await client.whenTold(3);
    expect(client.messages.map(({ data }) => data)).to.deep.equal([first, second, ping]);
    await client.leave();
  });

  it('goes on behind the last message that was received, and begins now where that is asked for', async () => {
    const before = await publish();
    const now = await listen(feed('?after=now'), channel.publisher_key);
    const [one, two] = [await publish(), await publish()];
    await now.whenTold(2);
    expect(now.ids()).to.deep.equal([one.id, two.id]);
    await now.leave();
    const again = await listen(feed('?after=now'), channel.publisher_key, {
      'last-event-id': now.messages[0]?.id as string,
    });
    await again.whenTold(1);
    expect(again.ids()).to.deep.equal([two.id]);
    await again.leave();
    const { body } = await call('GET', new URL(feed('?limit=1')).pathname, { key: channel.publisher_key });
    expect(body.events.map(({ id }: { id: number }) => id)).to.deep.equal([before.id, one.id, two.id]);
    const refused = await listen(feed(), channel.publisher_key, { 'last-event-id': 'x' });
    expect(refused.status).to.equal(422);
  });

  it('of a webhook has what that is sent, and ends where its key is replaced', async () => {
    const client = await listen(ownFeed(), webhook.subscriber_key);
    const other = await made('webhooks', { webhook_url: 'http://127.0.0.1:9/' });
    await made(`webhooks/${other.id}/ping`, {});
    const { id } = await publish();
    await client.whenTold(1);
    expect(client.ids()).to.deep.equal([id]);
    await made(`webhooks/${webhook.id}/rotate_key`, {});
    await publish();
    await client.whenOver();
    expect(client.ids()).to.deep.equal([id]);
    expect((await listen(ownFeed(), webhook.subscriber_key)).status).to.equal(403);
  });

  it('of a channel is not for a subscriber, and is JSON for whoever takes that', async () => {
    expect((await listen(feed(), webhook.subscriber_key)).status).to.equal(403);
    const { id } = await publish();
    for (const accept of ['*/*', 'application/json', 'application/json, text/event-stream']) {
      const answer = await fetch(feed(), { headers: { authorization: `Bearer ${channel.publisher_key}`, accept } });
      const { events } = (await answer.json()) as { events: { id: number }[] };
      expect(events.map((event) => event.id)).to.deep.equal([id]);
    }
  });

  it('counts as a request that waits, until its client goes', async () => {
    const clients = await Promise.all(
      Array.from({ length: 10 }, () => listen(feed('?after=now'), channel.publisher_key)),
    );
    const refused = await listen(feed('?after=now'), channel.publisher_key);
    expect(refused.status).to.equal(429);
    expect(refused.headers.get('retry-after')).to.equal('1');
    await publish();
    await Promise.all(clients.map((client) => client.whenTold(1)));
    expect((await listen(feed('?after=now'), channel.publisher_key)).status).to.equal(429);
    await Promise.all(clients.map((client) => client.leave()));
    await waitFor('room', async () => {
      const client = await listen(feed('?after=now'), channel.publisher_key);
      await client.leave();
      return client.status === 200;
    });
  });

  it('has no body where only its head is asked for', async () => {
    const headers = { authorization: `Bearer ${channel.publisher_key}`, accept: 'text/event-stream' };
    const { status, body } = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const asking = request(feed(), { method: 'HEAD', headers }, (answer) => {
        let body = '';
        answer.setEncoding('utf8').on('data', (part) => {
          body += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode, body }));
      });
      asking.on('error', reject).end();
    });
    expect({ status, body }).to.deep.equal({ status: 200, body: '' });
  });
});

describe('a feed as a stream, when the gateway stops', () => {
  let parts: InProcess;
  before(async () => {
    parts = await startInProcess();
  });
  after(() => parts?.stop());

  it('ends, and keeps nobody waiting', async () => {
    const gateway = await parts.startGateway();
    const channel = await gateway.newChannel();
    const client = await listen(
      `http://127.0.0.1:${gateway.port}/v1/channels/${channel.id}/feed`,
      channel.publisher_key,
    );
    const { id } = await gateway.publish(channel);
    await client.whenTold(1);
    await gateway.stop();
    await client.whenOver();
    expect(client.ids()).to.deep.equal([id]);
  });
});
