import { expect } from 'chai';
import { type Api, apiAt } from '../../support/api.ts';
import { FAILED, type ReceivedSpan, SPAN_KIND, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { type Hit, type Receiver, startReceiver } from '../../support/receiver.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

const CALLER = '00f067aa0ba902b7';
let traces = 0;
/** A trace that a caller has begun. */
const newTrace = () => `4bf92f3577b34da6a3ce929d0e${(++traces).toString(16).padStart(6, '0')}`;

const RETRIES = { RETRY_INTERVAL: '200ms', RETRY_WINDOW: '10m' };

describe('traces', () => {
  let collector: Awaited<ReturnType<typeof startOtlpReceiver>>;
  let receiver: Receiver;
  let stack: Stack;
  let api: Api;
  let channel: { id: number; publisher_key: string };
  before(async () => {
    collector = await startOtlpReceiver();
    receiver = await startReceiver();
    const on = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_RESOURCE_ATTRIBUTES: 'team=a',
    };
    stack = await startStack({ env: { ...RETRIES, ...on } });
    api = apiAt(stack.url);
    channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url('/hook?token=secret-of-the-url'));
  });
  after(async () => {
    await stack?.stop();
    await receiver?.close();
    await collector?.close();
  });
  beforeEach(() => receiver.reply({ status: 200 }, '/hook'));

  async function publish(traceparent?: string): Promise<number> {
    const headers = traceparent === undefined ? {} : { traceparent };
    const json = { event_name: 'a' };
    const path = `/v1/channels/${channel.id}/events`;
    return (await api.call('POST', path, { json, key: channel.publisher_key, headers })).body.id;
  }
  const hitsOf = (event: number) =>
    receiver.whenHits(1, ({ headers }) => String(headers['webhook-id']).startsWith(`msg_${event}_`));
  const inTrace = (trace: string) => collector.spans.filter(({ traceId }) => traceId === trace);
  const whenSpans = (trace: string, count: number): Promise<ReceivedSpan[]> =>
    waitFor(
      `${count} spans`,
      () => inTrace(trace),
      (spans) => spans.length >= count,
    );
  const named = (spans: readonly ReceivedSpan[], name: string) =>
    spans.find((span) => span.name === name) as ReceivedSpan;
  const traceparentOf = ({ headers }: Hit) => String(headers.traceparent).split('-');

  it('go from the caller through the request to the attempt, and on to the webhook', async () => {
    const trace = newTrace();
    const event = await publish(`00-${trace}-${CALLER}-01`);
    const [hit] = await hitsOf(event);
    const spans = await whenSpans(trace, 4);
    expect(spans).to.have.length(4);
    const request = named(spans, 'POST /v1/channels/:channel/events');
    expect(request).to.deep.include({ parentSpanId: CALLER, kind: SPAN_KIND.server });
    expect(request.attributes).to.include({
      ...{
        'http.route': '/v1/channels/:channel/events',
        'http.request.method': 'POST',
        'http.response.status_code': 201,
      },
    });
    for (const [name, kind] of [
      ['append events', SPAN_KIND.client],
      ['queue deliveries', SPAN_KIND.producer],
      ['POST webhook', SPAN_KIND.client],
    ] as const) {
      expect(named(spans, name), name).to.deep.include({ parentSpanId: request.spanId, kind });
    }
    const attempt = named(spans, 'POST webhook');
    expect(attempt.attributes).to.include({
      ...{
        'webhooks.event_id': event,
        'webhooks.attempt': 1,
        'webhooks.outcome': 'delivered',
        'webhooks.trigger': 'publish',
      },
      ...{ 'http.response.status_code': 200, 'server.address': '127.0.0.1' },
    });
    expect(traceparentOf(hit as Hit)).to.deep.equal(['00', trace, attempt.spanId, '01']);
    expect(new Set(spans.map(({ resource }) => resource['webhooks.process']))).to.deep.equal(
      new Set(['gateway', 'projector+relay', 'delivery']),
    );
    expect(attempt.resource).to.include({ 'service.name': 'webhooks', team: 'a' });
  });

  it('have each retry in the same trace, with a span of its own', async () => {
    let failing = 1;
    receiver.reply(() => ({ status: failing-- > 0 ? 500 : 200 }), '/hook');
    const trace = newTrace();
    const before = receiver.hits.length;
    await publish(`00-${trace}-${CALLER}-01`);
    const spans = await whenSpans(trace, 5);
    const attempts = spans.filter(({ name }) => name === 'POST webhook');
    const request = named(spans, 'POST /v1/channels/:channel/events');
    const byNumber = attempts.sort(
      (a, b) => Number(a.attributes['webhooks.attempt']) - Number(b.attributes['webhooks.attempt']),
    );
    const [first, second] = byNumber;
    expect(first?.status).to.deep.include({ code: FAILED, message: 'answered 500' });
    expect(first?.attributes).to.include({ 'webhooks.attempt': 1, 'webhooks.outcome': 'retrying' });
    expect(second?.attributes).to.include({
      'webhooks.attempt': 2,
      'webhooks.trigger': 'retry',
      'webhooks.outcome': 'delivered',
    });
    expect(attempts.every(({ parentSpanId }) => parentSpanId === request.spanId)).to.equal(true);
    const sent = receiver.hits.slice(before).map((hit) => traceparentOf(hit)[2]);
    expect(sent).to.have.members(attempts.map(({ spanId }) => spanId));
  });

  it('are not recorded where the caller has not sampled them, and go on with that word', async () => {
    const trace = newTrace();
    const [hit] = await hitsOf(await publish(`00-${trace}-${CALLER}-00`));
    const [, traceId, spanId, flags] = traceparentOf(hit as Hit);
    expect([traceId, flags]).to.deep.equal([trace, '00']);
    expect(spanId).not.to.equal(CALLER);
    // What is sampled after it has come: it would have come before.
    const next = newTrace();
    await publish(`00-${next}-${CALLER}-01`);
    await whenSpans(next, 4);
    expect(inTrace(trace)).to.deep.equal([]);
  });

  it('begin anew where there is no traceparent, or what is none', async () => {
    for (const header of [undefined, 'nonsense', `00-${'0'.repeat(32)}-${CALLER}-01`]) {
      const [hit] = await hitsOf(await publish(header));
      const [, trace] = traceparentOf(hit as Hit);
      const spans = await whenSpans(String(trace), 4);
      expect(named(spans, 'POST /v1/channels/:channel/events').parentSpanId ?? '', header).to.equal('');
    }
  });

  it('hold no keys, no payloads, and of URLs the host alone', async () => {
    const all = JSON.stringify(collector.spans);
    expect(collector.spans.length).to.be.above(10);
    for (const secret of [channel.publisher_key, 'secret-of-the-url', 'event_name']) expect(all).not.to.include(secret);
  });

  it('have nothing of what is asked all the time', async () => {
    await api.call('GET', '/healthz', { headers: { traceparent: `00-${newTrace()}-${CALLER}-01` } });
    const next = newTrace();
    await publish(`00-${next}-${CALLER}-01`);
    await whenSpans(next, 4);
    expect(collector.spans.filter(({ name }) => name.includes('healthz'))).to.deep.equal([]);
  });
});

describe('traces whose collector is away', () => {
  it('hold nothing up, neither deliveries nor the stop', async () => {
    const receiver = await startReceiver();
    const stack = await startStack({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_BSP_SCHEDULE_DELAY: '10' },
    });
    const api = apiAt(stack.url);
    const channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url());
    await api.publish(channel);
    const [hit] = await receiver.whenHits(1);
    expect(hit?.headers.traceparent).to.be.a('string');
    expect(await stack.stop()).to.equal(0);
    expect(stack.output()).to.include('spans cannot be sent');
    await receiver.close();
  });
});

describe('without traces', () => {
  it('webhooks are sent no traceparent, whatever the publisher sends', async () => {
    const receiver = await startReceiver();
    const stack = await startStack();
    const api = apiAt(stack.url);
    const channel = await api.newChannel();
    await api.newWebhook(channel, receiver.url());
    const headers = { traceparent: `00-${newTrace()}-${CALLER}-01` };
    const path = `/v1/channels/${channel.id}/events`;
    await api.call('POST', path, { json: { event_name: 'a' }, key: channel.publisher_key, headers });
    const [hit] = await receiver.whenHits(1);
    expect(hit?.headers).not.to.have.property('traceparent');
    await stack.stop();
    await receiver.close();
  });
});
