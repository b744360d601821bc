import { expect } from 'chai';
import type { Answered, NewWebhook } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { waitFor } from '../../support/wait.ts';
import { type Channel, useStack, wrongFields } from './support.ts';

interface Event {
  readonly id: number;
  readonly event_name: string;
  readonly published_at: string;
}

/** A window that is over after the second attempt: what fails is soon failed. */
const SOON = { RETRY_INTERVAL: '100ms', RETRY_WINDOW: '100ms' };

describe('lists with filters', () => {
  const { call, newChannel, url } = useStack(SOON);
  let receiver: Receiver;
  let channel: Channel;
  let good: NewWebhook;
  let bad: NewWebhook;

  before(async () => {
    receiver = await startReceiver();
    receiver.reply({ status: 500 }, '/bad');
  });
  after(() => receiver?.close());
  beforeEach(async () => {
    channel = await newChannel();
    [good, bad] = [await newWebhook('/good'), await newWebhook('/bad')];
  });

  const path = (rest: string) => `/v1/channels/${channel.id}/${rest}`;
  async function made(rest: string, json: object) {
    const { status, body } = await call('POST', path(rest), { key: channel.publisher_key, json });
    expect(status, JSON.stringify(body)).to.equal(201);
    return body;
  }
  const newWebhook = (to: string): Promise<NewWebhook> => made('webhooks', { webhook_url: receiver.url(to) });
  const publish = (fields: object): Promise<Event> => made('events', fields);
  const asked = (rest: string, key = channel.publisher_key): Promise<Answered> => call('GET', path(rest), { key });
  async function ids(rest: string, key?: string): Promise<number[]> {
    const { status, body } = await asked(rest, key);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body.map(({ id, event_id = id }: { id: number; event_id?: number }) => event_id);
  }
  const deliveriesOf = ({ id }: { id: number }) => `webhooks/${id}/deliveries`;
  const whenEnded = (...events: Event[]) =>
    waitFor('the end of all deliveries', async () => {
      const log = await Promise.all(events.map(({ id }) => asked(`events/${id}/notification_log`)));
      return log.every(({ body }) => body.every(({ status }: { status: string }) => status !== 'pending'));
    });

  it('show events by name, reference, time and status', async () => {
    const first = await publish({ event_name: 'order.created', ext_ref_code: 'A-1' });
    const second = await publish({ event_name: 'order.paid', ext_ref_code: 'A-1', data: { total: 12 } });
    await waitFor('another millisecond', () => Date.now() > Date.parse(second.published_at));
    const third = await publish({ event_name: 'order.created' });
    await whenEnded(first, second, third);
    const all = [third, second, first].map(({ id }) => id);
    const since = encodeURIComponent(third.published_at);
    const CASES: Record<string, number[]> = {
      '': all,
      '?event_name=order.created': [third.id, first.id],
      '?event_name=order': [],
      '?ext_ref_code=A-1': [second.id, first.id],
      '?ext_ref_code=A-1&event_name=order.paid': [second.id],
      [`?since=${since}`]: [third.id],
      [`?until=${since}`]: [second.id, first.id],
      [`?since=${since}&until=${since}`]: [],
      [`?until=${since}&event_name=order.created`]: [first.id],
      // Each was delivered to one webhook and failed at the other.
      '?status=delivered': all,
      '?status=failed': all,
      '?status=failed&ext_ref_code=A-1&limit=1': [second.id],
      '?status=pending': [],
    };
    for (const [query, expected] of Object.entries(CASES))
      expect(await ids(`events${query}`), query).to.deep.equal(expected);
    expect((await asked('events?event_name=order.paid')).body).to.deep.equal([second]);
  });

  it('show the deliveries of one webhook, to it as well', async () => {
    const first = await publish({ event_name: 'order.created', ext_ref_code: 'A-1' });
    const second = await publish({ event_name: 'order.paid' });
    await whenEnded(first, second);
    const CASES: Record<string, number[]> = {
      '': [second.id, first.id],
      '?status=failed': [second.id, first.id],
      '?status=delivered': [],
      '?event_name=order.paid': [second.id],
      '?event_name=order.paid&status=failed': [second.id],
      '?event_name=order.paid&status=delivered': [],
      '?since=2100-01-01T00:00:00Z': [],
    };
    for (const [query, expected] of Object.entries(CASES)) {
      for (const key of [channel.publisher_key, bad.subscriber_key]) {
        expect(await ids(deliveriesOf(bad) + query, key), query).to.deep.equal(expected);
      }
    }
    expect(await ids(`${deliveriesOf(good)}?status=delivered`)).to.deep.equal([second.id, first.id]);
    const log = await asked(`events/${first.id}/notification_log`);
    const { attempts, webhook_id, ...entry } = log.body.find((of: { webhook_id: number }) => of.webhook_id === bad.id);
    expect((await asked(deliveriesOf(bad))).body[1]).to.deep.equal({
      ...{ event_id: first.id, event_name: 'order.created', ext_ref_code: 'A-1', published_at: first.published_at },
      ...{ ...entry, attempt_count: attempts.length, last_attempt: attempts.at(-1) },
    });
  });

  it('come with what was delivered, failed and how long it took, of the last hour, day and week', async () => {
    const events = [await publish({ event_name: 'a' }), await publish({ event_name: 'b' })];
    await whenEnded(...events);
    for (const webhook of [good, bad]) {
      const { body: deliveries } = await asked(deliveriesOf(webhook));
      const attempts = deliveries.reduce((sum: number, of: { attempt_count: number }) => sum + of.attempt_count, 0);
      const delivered = webhook === good ? attempts : 0;
      for (const key of [channel.publisher_key, webhook.subscriber_key]) {
        const { status, body } = await asked(`webhooks/${webhook.id}/stats`, key);
        expect(status).to.equal(200);
        expect(body).to.have.keys('hour', 'day', 'week');
        for (const { from, duration_ms, ...counts } of Object.values<Record<string, unknown>>(body)) {
          const failed = { failed_attempts: attempts - delivered, failed: webhook === bad ? 2 : 0 };
          expect(counts).to.deep.equal({ attempts, delivered, ...failed });
          expect(Date.parse(String(from))).to.be.lessThan(Date.now());
          expect(duration_ms).to.have.keys('p50', 'p95');
        }
      }
    }
    const quiet = await newWebhook('/quiet');
    const { body } = await asked(`webhooks/${quiet.id}/stats`);
    expect(body.week).to.deep.include({ attempts: 0, delivered: 0, failed_attempts: 0, failed: 0, duration_ms: null });
    const { body: parted } = await asked(`webhooks/${bad.id}/stats?series=day`);
    expect(parted.series).to.have.length(24);
    expect(parted.series[0].from).to.equal(parted.day.from);
    const total = parted.series.reduce((sum: number, part: { attempts: number }) => sum + part.attempts, 0);
    expect(total).to.equal(parted.day.attempts).and.to.be.above(0);
    expect((await asked(`webhooks/${bad.id}/stats?series=year`)).status).to.equal(422);
  });

  it('of events say how many of their deliveries have which status, where that is asked for', async () => {
    const { id } = await publish({ event_name: 'order.created' });
    const counted = () => asked('events?include=deliveries&limit=1').then(({ body }) => body[0]);
    const none = { pending: 0, delivered: 0, failed: 0, cancelled: 0, attempted: 0 };
    const shown = await waitFor('both deliveries', counted, ({ deliveries }) => deliveries.pending === 0);
    expect(shown).to.deep.include({ id, deliveries: { ...none, delivered: 1, failed: 1 } });
    await call('PUT', path(`webhooks/${bad.id}`), { key: channel.publisher_key, json: { paused: true } });
    await publish({ event_name: 'order.created' });
    const waiting = await waitFor('the delivery', counted, ({ deliveries }) => deliveries.delivered === 1);
    expect(waiting.deliveries).to.deep.equal({ ...none, delivered: 1, pending: 1 });
    expect((await asked('events?limit=1')).body[0]).not.to.have.property('deliveries');
    expect((await asked('events?include=skipped')).status).to.equal(422);
  });

  it('are whole page by page while others publish: nothing is left out, nothing comes twice', async () => {
    const before: number[] = [];
    for (let n = 0; n < 30; n++) before.push((await publish({ event_name: n % 2 === 0 ? 'even' : 'odd' })).id);
    async function read(rest: string): Promise<number[]> {
      const seen: number[] = [];
      let next: string | undefined = path(`${rest}limit=3`);
      while (next !== undefined) {
        const page = call('GET', next, { key: channel.publisher_key });
        const [{ body, headers }]: [Answered, unknown] = await Promise.all([page, publish({ event_name: 'even' })]);
        seen.push(...body.map(({ id, event_id = id }: { id: number; event_id?: number }) => event_id));
        const link: string | undefined = /^<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
        next = link && new URL(link, url()).pathname + new URL(link, url()).search;
      }
      return seen;
    }
    const even = before.filter((_, n) => n % 2 === 0);
    const LISTS: Record<string, number[]> = {
      'events?': before,
      'events?event_name=even&': even,
      [`${deliveriesOf(good)}?`]: before,
      [`${deliveriesOf(good)}?event_name=even&`]: even,
    };
    for (const [rest, expected] of Object.entries(LISTS)) {
      const seen = await read(rest);
      expect(seen, rest).to.deep.equal([...new Set(seen)].sort((a, b) => b - a));
      const known = seen.filter((id) => before.includes(id));
      expect(known, rest).to.deep.equal(expected.toReversed());
    }
  });

  it('refuse filters that say nothing', async () => {
    const CASES: Record<string, object> = {
      '?status=done': { status: 'must be one of pending, delivered, failed, cancelled' },
      '?since=yesterday': { since: 'must be a time such as 2026-11-24T09:00:00Z (RFC 3339)' },
      '?event_name=a%20b': { event_name: 'must be 1 to 255 letters, digits, ".", "_", "-" or ":"' },
      '?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z': { until: 'must not be before since' },
    };
    for (const list of ['events', deliveriesOf(good)]) {
      for (const [query, wrong] of Object.entries(CASES)) {
        const { status, body } = await asked(list + query);
        expect(status, query).to.equal(422);
        expect(wrongFields(body), query).to.deep.equal(wrong);
      }
    }
    expect(wrongFields((await asked(`${deliveriesOf(good)}?ext_ref_code=1`)).body)).to.deep.equal({
      ext_ref_code: 'is not known here',
    });
  });
});
