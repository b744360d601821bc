import { expect } from 'chai';
import { stream } from '../../../domain/facts.ts';
import { StoreUnavailable } from '../../../infra/event-store/errors.ts';
import { apiAt } from '../../support/api.ts';
import { whenAllDelivered } from '../../support/load.ts';
import { JSON_TYPE } from '../../support/media-types.ts';
import { startReceiver } from '../../support/receiver.ts';
import { startInProcess } from './in-process.ts';
import { type Channel, useStack, wrongFields } from './support.ts';

const KIB = 1_024;
const named = (...names: string[]) => ({ events: names.map((event_name) => ({ event_name })) });
const many = (count: number, data = {}) => ({
  events: Array.from({ length: count }, () => ({ event_name: 'a', data })),
});

/** Publishing in batches: all or none, ids in order. */
describe('a batch of events', () => {
  const { call, curl, send, newChannel, url } = useStack();
  const publish = (channel: Channel, json: unknown) =>
    call('POST', `/v1/channels/${channel.id}/events/batch`, { key: channel.publisher_key, json });
  const listed = async ({ id, publisher_key: key }: Channel) =>
    (await call('GET', `/v1/channels/${id}/events?limit=250`, { key })).body as { id: number; event_name: string }[];

  it('is answered with the ids of its events, in their order, and each is delivered', async () => {
    const receiver = await startReceiver();
    const channel = await newChannel();
    await call('POST', `/v1/channels/${channel.id}/webhooks`, {
      ...{ key: channel.publisher_key, json: { webhook_url: receiver.url() } },
    });
    const { status, headers, body } = await publish(channel, named('a', 'b', 'c'));
    expect(status, JSON.stringify(body)).to.equal(201);
    expect(headers.get('location')).to.equal(`/v1/channels/${channel.id}/events`);
    expect(body.ids).to.deep.equal(body.ids.toSorted((a: number, b: number) => a - b));
    const events = (await listed(channel)).toReversed();
    expect(events.map(({ id, event_name }) => [id, event_name])).to.deep.equal(
      ['a', 'b', 'c'].map((name, index) => [body.ids[index], name]),
    );
    await whenAllDelivered(apiAt(url()), channel, body.ids, 1);
    expect(receiver.missing(body.ids, '/')).to.deep.equal([]);
    await receiver.close();
  });

  it('has 1 to 250 events', async () => {
    const channel = await newChannel();
    const most = await publish(channel, many(250));
    expect(most.status).to.equal(201);
    expect(new Set(most.body.ids)).to.have.property('size', 250);
    for (const [json, message] of [
      [many(251), 'must have at most 250 items'],
      [{ events: [] }, 'must not be empty'],
      [{}, 'is required'],
      [{ events: {} }, 'must be a list'],
    ] as const) {
      const { status, body } = await publish(channel, json);
      expect([status, wrongFields(body)]).to.deep.equal([422, { events: message }]);
    }
    expect(await listed(channel)).to.have.length(250);
  });

  it('is refused whole, with the place of each event that is wrong', async () => {
    const channel = await newChannel();
    const events = [{ event_name: 'a' }, { event_name: 'no blanks' }, {}, { event_name: 'b', nothing: 1 }, 'text'];
    const { status, body } = await publish(channel, { events, more: true });
    expect(status).to.equal(422);
    expect(wrongFields(body)).to.have.all.keys(
      ...['more', 'events[1].event_name', 'events[2].event_name', 'events[3].nothing', 'events[4]'],
    );
    expect(await listed(channel)).to.deep.equal([]);
  });

  it('may have 768 KiB, which nothing else may', async () => {
    const channel = await newChannel();
    const large = many(3, { text: 'x'.repeat(254 * KIB) });
    expect((await publish(channel, large)).status).to.equal(201);
    const tooLarge = await publish(channel, many(3, { text: 'x'.repeat(257 * KIB) }));
    expect([tooLarge.status, tooLarge.body.type]).to.deep.equal([413, '/docs/errors#body-too-large']);
    const one = { key: channel.publisher_key, json: { event_name: 'a', data: { text: 'x'.repeat(257 * KIB) } } };
    expect((await call('POST', `/v1/channels/${channel.id}/events`, one)).status).to.equal(413);
    expect(await listed(channel)).to.have.length(3);
  });

  it('is refused where it takes far more room once it is written out', async () => {
    const channel = await newChannel();
    const numbers = `[${'1e20,'.repeat(2_000)}1]`;
    const events = Array.from({ length: 60 }, () => `{"event_name":"a","data":{"n":${numbers}}}`);
    const body = `{"events":[${events}]}`;
    const answer = await send('POST', `/v1/channels/${channel.id}/events/batch`, {
      ...{ key: channel.publisher_key, type: JSON_TYPE, body },
    });
    expect(answer.status).to.equal(413);
    expect(await listed(channel)).to.deep.equal([]);
  });

  it('can be a form', async () => {
    const channel = await newChannel();
    const fields = ['events[0][event_name]=a', 'events[1][event_name]=b', 'events[1][data][created_at]=1354649392'];
    const path = `/v1/channels/${channel.id}/events`;
    const { status, body } = await curl('POST', `${path}/batch`, fields, channel.publisher_key);
    expect(status, JSON.stringify(body)).to.equal(201);
    const second = await call('GET', `${path}/${body.ids[1]}`, { key: channel.publisher_key });
    expect(second.body.data).to.deep.equal({ created_at: 1354649392 });
  });
});

describe('a batch where the rate of publishing is limited', () => {
  const { call, newChannel } = useStack({ PUBLISH_RATE_LIMIT: '5/h' });

  it('counts each of its events, and takes nothing where they are too many', async () => {
    const channel = await newChannel();
    const path = `/v1/channels/${channel.id}/events/batch`;
    for (const [count, status, left] of [
      [3, 201, 2],
      [3, 429, 2],
      [2, 201, 0],
      [1, 429, 0],
    ] as const) {
      const answer = await call('POST', path, { key: channel.publisher_key, json: many(count) });
      expect(answer.status).to.equal(status);
      expect(answer.headers.get('ratelimit')).to.match(new RegExp(`^"publish";r=${left};`));
    }
    const other = await newChannel();
    const never = await call('POST', `/v1/channels/${other.id}/events/batch`, {
      ...{ key: other.publisher_key, json: many(6) },
    });
    expect(never.status).to.equal(422);
    expect(wrongFields(never.body)).to.have.key('events');
  });
});

describe('a batch in the log', () => {
  it('is one append, and nothing where that fails', async () => {
    const parts = await startInProcess();
    const gateway = await parts.startGateway();
    try {
      const channel = await gateway.newChannel();
      const path = `/v1/channels/${channel.id}/events/batch`;
      const publish = () => gateway.call('POST', path, { key: channel.publisher_key, json: many(250) });
      const appends: number[] = [];
      parts.bend((append, to, facts, expected) => {
        appends.push(facts.length);
        return append(to, facts, expected);
      });
      const { status, body } = await publish();
      expect([status, appends]).to.deep.equal([201, [250]]);
      const facts = await parts.store.read(stream.events(channel.id));
      expect(facts.map(({ data }) => (data as { id: number }).id)).to.deep.equal(body.ids);
      parts.bend(() => {
        throw new StoreUnavailable(new Error('gone'));
      });
      const failed = await publish();
      expect([failed.status, failed.headers.get('retry-after')]).to.deep.equal([503, '1']);
      expect(await parts.store.read(stream.events(channel.id))).to.have.length(250);
    } finally {
      await gateway.stop();
      await parts.stop();
    }
  });
});
