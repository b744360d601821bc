import { expect } from 'chai';
import type { Answered } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { waitFor } from '../../support/wait.ts';
import { type Channel, useStack, wrongFields } from './support.ts';

interface Entry {
  readonly webhook_id: number;
  readonly status: string;
  readonly reason?: string;
}

describe('event names of a webhook', () => {
  const { call, curl, newChannel } = useStack();
  let receiver: Receiver;
  let channel: Channel;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver.close());
  beforeEach(async () => {
    channel = await newChannel();
  });

  const webhooks = () => `/v1/channels/${channel.id}/webhooks`;
  const key = () => channel.publisher_key;
  const made = ({ status, body }: Answered) => {
    expect(status, JSON.stringify(body)).to.be.oneOf([200, 201]);
    return body;
  };
  const create = async (path: string, fields: object = {}) =>
    made(await call('POST', webhooks(), { key: key(), json: { webhook_url: receiver.url(path), ...fields } }));
  const publish = async (event_name: string): Promise<{ id: number }> =>
    made(await call('POST', `/v1/channels/${channel.id}/events`, { key: key(), json: { event_name } }));
  const log = async ({ id }: { id: number }, query: string, as = key()): Promise<Entry[]> =>
    made(await call('GET', `/v1/channels/${channel.id}/events/${id}/notification_log?${query}`, { key: as }));
  const seen = (entries: Entry[]) => entries.map(({ webhook_id, status, reason }) => [webhook_id, reason ?? status]);
  const whenAllDelivered = (event: { id: number }) =>
    waitFor(
      'all deliveries',
      () => log(event, 'include=skipped'),
      (entries) => entries.every(({ status }) => status !== 'pending'),
    );

  it('decide what it is sent, as they were when that was published', async () => {
    const orders = await create('/orders', { event_names: ['order.*', 'user.created'] });
    const all = await create('/all');
    const [first, second] = [await publish('order.created'), await publish('user.deleted')];
    made(await call('PUT', `${webhooks()}/${orders.id}`, { key: key(), json: { event_names: ['user.deleted'] } }));
    const [third, fourth] = [await publish('user.deleted'), await publish('order.created')];
    made(await call('PUT', `${webhooks()}/${orders.id}`, { key: key(), json: { event_names: null } }));
    const fifth = await publish('order.created');

    const reasons = [];
    for (const event of [first, second, third, fourth, fifth]) reasons.push(seen(await whenAllDelivered(event)));
    expect(reasons).to.deep.equal(
      ['delivered', 'event_names', 'delivered', 'event_names', 'delivered'].map((reason) => [
        [orders.id, reason],
        [all.id, 'delivered'],
      ]),
    );
    const sent = (path: string) => receiver.hitsAt(path).map(({ body }) => JSON.parse(body.toString()).id);
    expect(sent('/orders').sort()).to.deep.equal([first, third, fifth].map(({ id }) => id));
    expect(sent('/all')).to.have.length(5);
  });

  it('are shown, and come by form as well', async () => {
    const form = [`webhook_url=${receiver.url('/form')}`, 'event_names[]=order.*', 'event_names[]=user.created'];
    const { status, body } = await curl('POST', webhooks(), form, key());
    expect(status).to.equal(201);
    expect(body.event_names).to.deep.equal(['order.*', 'user.created']);
    const itself = `${webhooks()}/${body.id}`;
    const changed = await curl('PUT', itself, ['event_names[]=*'], body.subscriber_key);
    expect(changed.body.event_names).to.deep.equal(['*']);
    expect((await call('PUT', itself, { key: key(), json: { event_names: null } })).body).to.not.have.any.keys(
      'event_names',
    );
    const { body: was } = await call('GET', `${itself}?revision=0`, { key: key() });
    expect(was.event_names).to.deep.equal(['order.*', 'user.created']);
    const history = made(await call('GET', `${itself}/history`, { key: key() }));
    expect(history.map(({ changes }: { changes: { event_names: unknown } }) => changes.event_names)).to.deep.equal([
      ...[['order.*', 'user.created'], ['*'], null],
    ]);
  });

  for (const [what, event_names, field, message] of [
    ['no list', 'order.*', 'event_names', 'must be a list'],
    ['an empty list', [], 'event_names', 'must not be empty'],
    ['too many', Array(51).fill('a'), 'event_names', 'must have at most 50 items'],
    ['a star that is not at the end', ['a', 'a.*.b'], 'event_names[1]', /^must be the name of an event, or/],
    ['an empty one', ['', 'a'], 'event_names[0]', /^must be the name of an event, or/],
    ['one that is too long', [`${'a'.repeat(255)}*`], 'event_names[0]', /^must be the name of an event, or/],
    ['a number', [1], 'event_names[0]', 'must be a string'],
  ] as const) {
    it(`are refused where they are ${what}`, async () => {
      const json = { webhook_url: receiver.url('/'), event_names };
      const { status, body } = await call('POST', webhooks(), { key: key(), json });
      expect(status).to.equal(422);
      expect(wrongFields(body)).to.have.all.keys(field);
      expect(wrongFields(body)[field]).to.match(message instanceof RegExp ? message : new RegExp(`^${message}$`));
    });
  }

  describe('in the notification log', () => {
    it('say why a webhook was not sent an event, as do its creation and its end, page by page and at any time', async () => {
      const [gone, others, own] = [
        await create('/gone'),
        await create('/others', { event_names: ['order.*'] }),
        await create('/own'),
      ];
      made(await call('DELETE', `${webhooks()}/${gone.id}`, { key: key() }));
      const event = await publish('user.created');
      await whenAllDelivered(event);
      const beforeLater = new Date().toISOString();
      await waitFor('the next millisecond', () => Date.now() > Date.parse(beforeLater));
      const later = await create('/later');
      made(await call('PUT', `${webhooks()}/${others.id}`, { key: key(), json: { event_names: null } }));
      const expected = [
        [gone.id, 'deleted_before'],
        [others.id, 'event_names'],
        [own.id, 'delivered'],
        [later.id, 'created_later'],
      ];

      expect(seen(await log(event, 'include=skipped'))).to.deep.equal(expected);
      expect(seen(await log(event, 'limit=50'))).to.deep.equal(expected.slice(2, 3));
      expect(seen(await log(event, `include=skipped&at=${beforeLater}`))).to.deep.equal(expected.slice(0, 3));
      const pages = [];
      for (let after = 0; pages.length < 4; after = pages.at(-1)?.[0]?.[0] as number) {
        pages.push(seen(await log(event, `include=skipped&limit=1&after=${after}`)));
      }
      expect(pages.flat()).to.deep.equal(expected);
      expect(seen(await log(event, 'include=skipped', others.subscriber_key))).to.deep.equal(expected.slice(1, 2));
      expect(seen(await log(event, 'include=skipped', later.subscriber_key))).to.deep.equal(expected.slice(3));
      expect(seen(await log(event, 'include=skipped', own.subscriber_key))).to.deep.equal(expected.slice(2, 3));
    });

    it('are not asked for in other words, nor together with proofs', async () => {
      const event = await publish('user.created');
      const path = `/v1/channels/${channel.id}/events/${event.id}/notification_log`;
      for (const query of ['include=all', 'include=skipped&proof=1']) {
        const { status, body } = await call('GET', `${path}?${query}`, { key: key() });
        expect([status, Object.keys(wrongFields(body))], query).to.deep.equal([422, ['include']]);
      }
      const long = `include=skipped&at=${new Date(0).toISOString()}`;
      expect((await call('GET', `${path}?${long}`, { key: key() })).status).to.equal(404);
    });
  });
});
