import { expect } from 'chai';
import { METRICS } from '../../../infra/metrics/names.ts';
import { ROUTES } from '../../../services/gateway/routes/routes.ts';
import { metricOf, type Sample, samplesIn } from '../../support/exposition.ts';
import { type Receiver, startReceiver } from '../../support/receiver.ts';
import { waitFor } from '../../support/wait.ts';
import { type Channel, useStack } from './support.ts';

const PROCESSES = ['delivery', 'eventstore', 'gateway', 'projector+relay'];
const FINITE = /^(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf)$/;

/** All that a label may say: nothing that a client chooses, and nothing that there is more of with time. */
const BOUNDS: Readonly<Record<string, (value: string) => boolean>> = {
  process: (value) => PROCESSES.includes(value),
  method: (value) => ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'other'].includes(value),
  route: (value) => value === 'none' || ROUTES.some(({ path }) => path === value),
  status: (value) => /^[1-5]\d\d$/.test(value),
  reason: (value) => ['wrong_revision', 'refused', 'unavailable', 'fault'].includes(value),
  state: (value) => ['untaken', 'taken_or_waiting', 'stuck'].includes(value),
  outcome: (value) => ['delivered', 'retrying', 'failed'].includes(value),
  result: (value) =>
    /^(?:[1-5]xx|timeout|connection_refused|connection_reset|dns|tls|protocol|blocked_address)$/.test(value),
  quantile: (value) => ['0.5', '0.99', '1'].includes(value),
  le: (value) => FINITE.test(value),
};

describe('GET /metrics', () => {
  const { call, newChannel, stack } = useStack({ RETRY_INTERVAL: '200ms', RETRY_WINDOW: '400ms' });
  let receiver: Receiver;
  let channel: Channel;
  const scrape = async (): Promise<Sample[]> => samplesIn((await call('GET', '/metrics')).body);
  const find = (samples: readonly Sample[], name: string, labels: Sample['labels'] = {}) =>
    samples.find((sample) => {
      const isSo = ([label, value]: [string, string]) => sample.labels[label] === value;
      return sample.name === name && Object.entries(labels).every(isSo);
    })?.value;
  const whenSeen = (name: string, labels: Sample['labels'], value: number) =>
    waitFor(
      `${name} of ${value}`,
      async () => find(await scrape(), name, labels),
      (seen) => seen === value,
    );
  const publish = async (event_name: string) => {
    const json = { event_name };
    const { status } = await call('POST', `/v1/channels/${channel.id}/events`, { json, key: channel.publisher_key });
    expect(status).to.equal(201);
  };

  before(async () => {
    receiver = await startReceiver();
    channel = await newChannel();
    const json = { webhook_url: receiver.url('/hook') };
    await call('POST', `/v1/channels/${channel.id}/webhooks`, { json, key: channel.publisher_key });
  });
  after(() => receiver.close());

  it('answers in the text format, with the figures of every process of the node', async () => {
    const { status, headers, body } = await call('GET', '/metrics');
    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.equal('text/plain; version=0.0.4; charset=utf-8');
    const samples = samplesIn(body);
    for (const process of PROCESSES) {
      expect(find(samples, 'webhooks_process_up', { process }), process).to.equal(1);
      expect(find(samples, 'process_resident_memory_bytes', { process }), process).to.be.above(1_000_000);
      expect(find(samples, 'nodejs_eventloop_lag_seconds', { process, quantile: '0.99' }), process).to.be.at.least(0);
    }
    const announced = body.match(/^# TYPE (\S+)/gm);
    expect(new Set(announced).size, 'each metric is announced once').to.equal(announced.length);
  });

  it('counts requests, publications and attempts', async () => {
    const route = '/v1/channels/:channel/events';
    const before = find(await scrape(), 'webhooks_events_accepted_total') ?? 0;
    await publish('a');
    const json = { events: [{ event_name: 'a' }, { event_name: 'a' }] };
    await call('POST', `/v1/channels/${channel.id}/events/batch`, { json, key: channel.publisher_key });
    await call('POST', `/v1/channels/${channel.id}/events`, { json: {}, key: channel.publisher_key });
    await whenSeen('webhooks_attempts_total', { outcome: 'delivered', result: '2xx' }, 3);
    const samples = await scrape();
    expect(find(samples, 'webhooks_events_accepted_total')).to.equal(before + 3);
    expect(find(samples, 'webhooks_http_requests_total', { route, method: 'POST', status: '422' })).to.equal(1);
    expect(find(samples, 'webhooks_http_request_duration_seconds_count', { route, method: 'POST' })).to.equal(2);
    expect(find(samples, 'webhooks_first_attempt_delay_seconds_count')).to.equal(3);
    expect(find(samples, 'webhooks_append_duration_seconds_count', { process: 'delivery' })).to.be.above(0);
    await whenSeen('webhooks_projection_lag_seconds', {}, 0);
    await whenSeen('webhooks_relay_lag_seconds', {}, 0);
    await whenSeen('webhooks_relay_leading', {}, 1);
    await whenSeen('webhooks_deliveries_due', {}, 0);
  });

  it('tells failures by what went wrong', async () => {
    receiver.reply({ status: 503 }, '/hook');
    await publish('failing');
    await waitFor('a failure for good', async () =>
      find(await scrape(), 'webhooks_attempts_total', { outcome: 'failed', result: '5xx' }),
    );
    expect(find(await scrape(), 'webhooks_attempts_total', { outcome: 'retrying', result: '5xx' })).to.be.above(0);
    receiver.reply({ status: 200 }, '/hook');
  });

  it('has no label whose values clients choose, and serves what the table of metrics has and no more', async () => {
    for (const path of ['/nothing/here', '/v1/channels/123456', '/v1/channels/a-guid/events?x=y', '/%00']) {
      await call('GET', path);
      await call('PROPFIND', path);
    }
    // What is refused by the store is counted from the first time on.
    const guid = { json: { name: 'a', guid: 'taken' } };
    await Promise.all([call('POST', '/v1/channels', guid), call('POST', '/v1/channels', guid)]);
    const samples = await scrape();
    for (const { name, labels } of samples) {
      for (const [label, value] of Object.entries(labels)) {
        expect(BOUNDS[label]?.(value), `${name}{${label}="${value}"}`).to.equal(true);
      }
    }
    expect(find(samples, 'webhooks_http_requests_total', { method: 'other', route: 'none' })).to.be.above(0);
    const table = Object.values(METRICS).map(({ name }) => name as string);
    const announced = [...(await call('GET', '/metrics')).body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(announced).to.have.members(table);
    for (const sample of samples) expect(table, sample.name).to.include(metricOf(sample));
  });

  it('shows that a process tells nothing, in place of figures that look like zero', async () => {
    const delivery = await stack().pidOf('delivery');
    process.kill(delivery, 'SIGSTOP');
    try {
      const samples = await scrape();
      const ofDelivery = samples.filter(({ labels }) => labels.process === 'delivery');
      expect(ofDelivery).to.deep.equal([{ name: 'webhooks_process_up', labels: { process: 'delivery' }, value: 0 }]);
      expect(find(samples, 'webhooks_process_up', { process: 'gateway' })).to.equal(1);
    } finally {
      process.kill(delivery, 'SIGCONT');
    }
    await whenSeen('webhooks_process_up', { process: 'delivery' }, 1);
  });

  it('has a process again that was killed and started anew, under the same name', async () => {
    const before = find(await scrape(), 'process_start_time_seconds', { process: 'delivery' });
    await stack().kill9('delivery');
    await waitFor('the next one', async () => {
      const started = find(await scrape(), 'process_start_time_seconds', { process: 'delivery' });
      return started !== undefined && started !== before;
    });
    const up = (await scrape()).filter(({ name }) => name === 'webhooks_process_up');
    expect(up.map(({ labels }) => labels.process)).to.have.members(PROCESSES);
  });
});
