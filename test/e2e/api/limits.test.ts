import { expect } from 'chai';
import { useStack } from './support.ts';

const MALFORMED = 'pk_1';
const WRONG = `pk_${'0'.repeat(40)}`;

describe('guessing keys', () => {
  const proxied = useStack({ TRUSTED_PROXIES: '127.0.0.1' });
  const direct = useStack();

  it('is slowed after 20 from one address, whatever they were, while good keys are taken as ever', async () => {
    const { call, newChannel } = proxied;
    const channel = await newChannel();
    const path = `/v1/channels/${channel.id}`;
    const from = (address: string, key?: string) =>
      call('GET', path, { key, headers: { 'x-forwarded-for': `8.8.8.8, ${address}` } });
    for (let n = 0; n < 20; n++) {
      const { status } = await from('192.0.2.1', n % 2 === 0 ? MALFORMED : WRONG);
      expect(status, `${n}`).to.equal(n % 2 === 0 ? 401 : 403);
    }
    const slowed = await from('192.0.2.1', WRONG);
    expect(slowed.status).to.equal(429);
    expect(slowed.body.type).to.equal('/docs/errors#too-many-bad-keys');
    expect(Number(slowed.headers.get('retry-after'))).to.be.within(1, 60);
    expect((await from('192.0.2.1', MALFORMED)).status).to.equal(429);
    expect((await from('192.0.2.1', channel.publisher_key)).status).to.equal(200);
    expect((await from('192.0.2.1')).status, 'no key is no bad one').to.equal(401);
    expect((await from('192.0.2.2', WRONG)).status).to.equal(403);
  });

  it('cannot be hidden by a header where nobody is trusted to set it', async () => {
    const { call, newChannel } = direct;
    const { id } = await newChannel();
    const statuses: number[] = [];
    for (let n = 0; n < 22; n++) {
      const headers = { 'x-forwarded-for': `192.0.2.${n}` };
      statuses.push((await call('GET', `/v1/channels/${id}`, { key: WRONG, headers })).status);
    }
    expect(statuses).to.deep.equal([...Array(20).fill(403), 429, 429]);
  });
});

describe('the rate of publishing', () => {
  const unlimited = useStack();
  const limited = useStack({ PUBLISH_RATE_LIMIT: '3/h' });

  it('is free where nobody limits it, and nothing is said of it', async () => {
    const channel = await unlimited.newChannel();
    const request = { key: channel.publisher_key, json: { event_name: 'a' } };
    const { status, headers } = await unlimited.call('POST', `/v1/channels/${channel.id}/events`, request);
    expect(status).to.equal(201);
    expect([...headers.keys()].filter((name) => name.startsWith('ratelimit'))).to.deep.equal([]);
  });

  it('is told with every publication, and kept to', async () => {
    const { call, newChannel } = limited;
    const channel = await newChannel();
    const path = `/v1/channels/${channel.id}/events`;
    const publish = (of = channel, json: object = { event_name: 'a' }) =>
      call('POST', `/v1/channels/${of.id}/events`, { key: of.publisher_key, json });
    for (const [left, status, json] of [
      [2, 201, { event_name: 'a' }],
      [1, 422, { nothing: 'like it' }],
      [0, 201, { event_name: 'a' }],
      [0, 429, { event_name: 'a' }],
    ] as const) {
      const answer = await publish(channel, json);
      expect(answer.status).to.equal(status);
      expect(answer.headers.get('ratelimit-policy')).to.equal('"publish";q=3;w=3600');
      const [, told, resetS] = /^"publish";r=(\d+);t=(\d+)$/.exec(answer.headers.get('ratelimit') ?? '') ?? [];
      expect(Number(told)).to.equal(left);
      expect(Number(resetS)).to.be.within(1, 3_600);
      expect(answer.headers.get('retry-after')).to.equal(status === 429 ? (resetS as string) : null);
    }
    const events = await call('GET', path, { key: channel.publisher_key });
    expect([events.status, events.body.length]).to.deep.equal([200, 2]);
    expect((await publish(await newChannel())).status, 'each channel for itself').to.equal(201);
    const bad = await call('POST', path, { key: WRONG, json: { event_name: 'a' } });
    expect(bad.headers.get('ratelimit'), 'a stranger uses nothing up').to.equal(null);
  });
});
