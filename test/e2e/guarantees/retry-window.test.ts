import { expect } from 'chai';
import { type Api, apiAt, type LogEntry } from '../../support/api.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * The promise: what is not answered with 200 is tried again an interval later, for as long as the window is open; then it is `failed`. What
 * recovers is `delivered` at once and left alone.
 */
describe('the retry window', () => {
  const RETRIES = 4;
  const INTERVAL_S = 2;
  let stack: Stack;
  let receiver: Receiver;
  let api: Api;
  const fates = new Map<string, Promise<LogEntry>>();

  before(async () => {
    receiver = await startReceiver();
    const window = { RETRY_INTERVAL: `${INTERVAL_S}s`, RETRY_WINDOW: `${RETRIES * INTERVAL_S}s` };
    const env = { ...window, DELIVERY_TIMEOUT: '300ms' };
    stack = await startStack({ env });
    api = apiAt(stack.url);
    // All at the same time: each takes as long as its window.
    for (const { path, reply } of FATES) {
      receiver.reply(reply, path);
      fates.set(path, fateAt(receiver.url(path)));
    }
    fates.set('/refused', fateAt(await refusingUrl()));
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
  });

  /** Publishes one event to one webhook and returns its log entry once its delivery is over. */
  async function fateAt(url: string): Promise<LogEntry> {
    const channel = await api.newChannel();
    await api.newWebhook(channel, url);
    const { id } = await api.publish(channel);
    const [entry] = await waitFor(
      `the end of the delivery to ${url}`,
      () => api.log(channel, id),
      ([seen]) => seen !== undefined && seen.status !== 'pending',
    );
    return entry as LogEntry;
  }

  const FATES = [
    { name: 'answers 201', path: '/201', reply: { status: 201 }, status_code: 201, error: null },
    { name: 'answers 302', path: '/302', reply: { status: 302 }, status_code: 302, error: null },
    { name: 'answers 500', path: '/500', reply: { status: 500 }, status_code: 500, error: null },
    { name: 'hangs', path: '/hang', reply: { behaviour: 'hang' as const }, status_code: null, error: 'timeout' },
  ];
  for (const { name, path, status_code, error } of FATES) {
    it(`gives one that ${name} 1 + ${RETRIES} attempts, then it has failed`, async () => {
      expectFailed(await fates.get(path), { status_code, error });
      expect(receiver.hitsAt(path)).to.have.length(1 + RETRIES);
    });
  }

  it(`gives one that refuses the connection 1 + ${RETRIES} attempts, then it has failed`, async () => {
    expectFailed(await fates.get('/refused'), { status_code: null, error: 'connection_refused' });
  });

  it('delivers at once to one that recovers, and then leaves it alone', async () => {
    receiver.reply({ status: 503, body: 'not now' }, '/recovers');
    const channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url('/recovers'));
    const { id } = await api.publish(channel);
    await receiver.whenHits(2, ({ path }) => path === '/recovers');
    receiver.reply({ status: 200 }, '/recovers');
    const [entry] = await waitFor(
      'the delivery',
      () => api.log(channel, id),
      ([seen]) => seen?.status === 'delivered',
    );

    const attempts = entry?.attempts ?? [];
    expect(attempts.at(-1)).to.include({ status_code: 200, trigger: 'retry' });
    expect(attempts.slice(0, -1).map((attempt) => attempt.response_body)).to.satisfy((bodies: string[]) =>
      bodies.every((body) => body === 'not now'),
    );
    expect(entry?.next_attempt_at).to.equal(null);
    const ids = receiver.hitsAt('/recovers').map((hit) => hit.headers['webhook-id']);
    expect(new Set(ids).size, 'one webhook-id for all attempts').to.equal(1);
  });

  it('waits for as long as a failed answer asks with Retry-After', async () => {
    receiver.reply((_, nth) => (nth === 1 ? { status: 503, headers: { 'retry-after': '3' } } : {}), '/busy');
    const channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url('/busy'));
    const { id } = await api.publish(channel);
    const [entry] = await waitFor(
      'the delivery',
      () => api.log(channel, id),
      ([seen]) => seen?.status === 'delivered',
    );
    const [first = 0, second = 0] = entry?.attempts.map(({ at }) => Date.parse(at)) ?? [];
    // The schedule, not the clock: an attempt never comes before its time.
    expect(second - first).to.be.at.least(2_900);
  });

  async function refusingUrl(): Promise<string> {
    const gone = await startReceiver();
    await gone.close();
    return gone.url('/');
  }

  function expectFailed(entry: LogEntry | undefined, answer: { status_code: number | null; error: string | null }) {
    expect(entry).to.include({ status: 'failed', next_attempt_at: null });
    const attempts = entry?.attempts ?? [];
    expect(attempts.map(({ attempt }) => attempt)).to.deep.equal([1, 2, 3, 4, 5]);
    expect(attempts.map(({ trigger }) => trigger)).to.deep.equal(['publish', ...Array(RETRIES).fill('retry')]);
    for (const attempt of attempts) expect(attempt).to.include(answer);
    const times = attempts.map(({ at }) => Date.parse(at));
    const gaps = times.slice(1).map((time, index) => time - (times[index] as number));
    // The schedule, not the clock: an attempt never comes before its time.
    for (const gap of gaps) expect(gap).to.be.at.least(INTERVAL_S * 900);
  }
});
