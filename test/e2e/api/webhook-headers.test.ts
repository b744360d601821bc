import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { stream } from '../../../domain/facts.ts';
import { connectEventStore } from '../../../infra/event-store/client.ts';
import { readLog } from '../../chaos/read-log.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Channel, useStack, wrongFields } from './support.ts';

/** The promise: a webhook's own headers go with each delivery, are shown to whoever holds its keys, and lie encrypted in the log. */
describe('headers of a webhook', () => {
  const { call, curl, newChannel, stack } = useStack();
  let receiver: Receiver;
  let channel: Channel;
  let path: string;
  before(async () => {
    receiver = await startReceiver();
    channel = await newChannel();
    path = `/v1/channels/${channel.id}/webhooks`;
  });
  after(() => receiver?.close());

  async function make(fields: object = {}) {
    const json = { webhook_url: receiver.url('/hook'), ...fields };
    const { status, body } = await call('POST', path, { key: channel.publisher_key, json });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body;
  }
  const change = async (id: number, json: object) => {
    const { status, body } = await call('PUT', `${path}/${id}`, { key: channel.publisher_key, json });
    expect(status, JSON.stringify(body)).to.equal(200);
    return body.headers;
  };

  it('are shown to the publisher and the subscriber, and sent', async () => {
    const headers = { 'X-Api-Key': 'a key of the receiver', Authorization: 'Basic YTpi' };
    const hook = await make({ headers });
    expect(hook.headers).to.deep.equal(headers);
    for (const key of [channel.publisher_key, hook.subscriber_key]) {
      expect((await call('GET', `${path}/${hook.id}`, { key })).body).to.deep.equal(hook);
    }
    expect((await call('GET', path, { key: channel.publisher_key })).body).to.deep.include(hook);
    await call('POST', `/v1/channels/${channel.id}/events`, { key: channel.publisher_key, json: { event_name: 'a' } });
    const [hit] = await receiver.whenHits(1);
    expect(hit?.headers).to.include({ 'x-api-key': 'a key of the receiver', authorization: 'Basic YTpi' });
    await call('DELETE', `${path}/${hook.id}`, { key: channel.publisher_key });
  });

  it('are taken from a form', async () => {
    const form = [`webhook_url=${receiver.url()}`, 'headers[X-Api-Key]=of a form', 'signatures[]=v1a'];
    const { status, body } = await curl('POST', path, form, channel.publisher_key);
    expect(status, JSON.stringify(body)).to.equal(201);
    expect(body).to.deep.include({ headers: { 'X-Api-Key': 'of a form' }, signatures: ['v1a'] });
  });

  it('are replaced as a whole by a PUT, kept by one that does not name them, and cleared by null', async () => {
    const { id } = await make({ headers: { a: 'one', b: 'two' } });
    expect(await change(id, { name: 'new' })).to.deep.equal({ a: 'one', b: 'two' });
    expect(await change(id, { headers: { b: 'three' } })).to.deep.equal({ b: 'three' });
    expect(await change(id, { headers: {} })).to.deep.equal({});
    expect(await change(id, { headers: { c: 'four' } })).to.deep.equal({ c: 'four' });
    expect(await change(id, { headers: null })).to.equal(undefined);
  });

  it('are in the log only where they change, and never as they are', async () => {
    const headers = { a: 'a value that nobody may read', b: 'another of them' };
    const { id } = await make({ headers });
    await change(id, { headers });
    await change(id, { headers: { ...headers, b: 'a new one of them' } });
    const store = connectEventStore((await stack().run()).eventstoreUrl as string);
    const facts = await store.read(stream.webhook(id));
    await store.close();
    expect(facts.map(({ type }) => type)).to.deep.equal(['WebhookCreated', 'WebhookUpdated']);
    const text = JSON.stringify(facts);
    expect(text)
      .to.include('"sealed":"')
      .and.not.to.match(/that nobody may read|of them/);
  });

  it('are refused by name, all wrong ones together', async () => {
    const headers = {
      Host: 'a',
      'Content-Length': '0',
      'webhook-id': 'msg',
      good: 'v',
      bad: 'a\r\nX-Injected: 1',
      'a b': 'c',
    };
    const json = { webhook_url: receiver.url(), headers };
    const { status, body } = await call('POST', path, { key: channel.publisher_key, json });
    expect(status).to.equal(422);
    expect(Object.keys(wrongFields(body))).to.have.members(
      ['Host', 'Content-Length', 'webhook-id', 'bad', 'a b'].map((name) => `headers.${name}`),
    );
    const { id } = await make();
    const put = await call('PUT', `${path}/${id}`, { key: channel.publisher_key, json: { headers } });
    expect([put.status, Object.keys(wrongFields(put.body)).length]).to.deep.equal([422, 5]);
  });

  describe('in a request that may be repeated', () => {
    const send = (key: string, fields: object) => {
      const json = { webhook_url: receiver.url(), ...fields };
      return call('POST', path, { key: channel.publisher_key, json, headers: { 'idempotency-key': key } });
    };

    it('tell it from another', async () => {
      const first = await send('to tell', { headers: { a: 'a value' } });
      expect(first.status).to.equal(201);
      expect((await send('to tell', { headers: { a: 'a value' } })).body).to.deep.equal(first.body);
      expect((await send('to tell', { headers: { a: 'another' } })).status).to.equal(409);
    });

    it('cannot be found by trying out what has the hash that the log keeps of it', async () => {
      const guess = (fields: object) => {
        const body = Object.fromEntries(Object.entries({ webhook_url: receiver.url(), ...fields }).sort());
        const text = ['POST /v1/channels/:channel/webhooks', path, JSON.stringify(body)].join('\n');
        return createHash('sha256').update(text).digest('hex');
      };
      const bodies = [{}, { headers: { a: '1234' } }];
      const guesses = [...bodies, { headers: [['a', '1234']] }];
      for (const [n, fields] of bodies.entries()) expect((await send(`guess ${n}`, fields)).status).to.equal(201);
      const store = connectEventStore((await stack().run()).eventstoreUrl as string);
      const facts = await readLog(store);
      await store.close();
      const hashes = facts.flatMap(({ type, data }) => (type === 'RequestAccepted' ? data.request_hash : []));
      expect(guesses.map((fields) => hashes.includes(guess(fields)))).to.deep.equal([true, false, false]);
    });
  });
});
