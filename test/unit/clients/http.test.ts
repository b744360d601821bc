import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import {
  ApiError,
  ConnectionError,
  createClient,
  isProblem,
  TimeoutError,
} from '../../../clients/typescript/src/index.ts';

interface Asked {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Reply = (response: ServerResponse) => unknown;

const answer =
  (status: number, body: unknown = {}, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
const problem = (status: number, code: string, more: Record<string, string> = {}) =>
  answer(status, { type: `/docs/errors#${code}`, title: 'A title', status, detail: 'What happened.' }, more);
const breakOff: Reply = (response) => response.destroy();

describe('requests of the client', () => {
  let server: Server;
  let baseUrl: string;
  let replies: Reply[];
  let asked: Asked[];

  before(async () => {
    server = createServer(async (request, response) => {
      const { method, url: path, headers } = request;
      asked.push({ method, path, headers, body: await text(request) });
      (replies.shift() ?? answer(200))(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    [replies, asked] = [[], []];
  });

  const clientOf = (more: object = {}) => createClient({ baseUrl, key: 'pk_1', backoffMs: 1, ...more });
  const errorOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error) => error,
    );

  it('are made with the key, the fields and an Idempotency-Key', async () => {
    replies = [answer(201, { id: 1 })];
    expect(await clientOf().events.publish('my channel', { event_name: 'a' })).to.deep.equal({ id: 1 });
    const [{ headers, ...rest }] = asked as [Asked];
    expect(rest).to.deep.equal({
      method: 'POST',
      path: '/v1/channels/my%20channel/events',
      body: '{"event_name":"a"}',
    });
    expect(headers).to.include({ authorization: 'Bearer pk_1', 'content-type': 'application/json' });
    expect(headers['idempotency-key']).to.match(/^[0-9a-f-]{36}$/);
  });

  it('are repeated as they were, whatever kept the answer away', async () => {
    replies = [
      breakOff,
      problem(503, 'overloaded', { 'retry-after': '0' }),
      problem(429, 'rate-limited'),
      answer(502),
      answer(201, { id: 1 }),
    ];
    expect(await clientOf().events.publish(1, { event_name: 'a' })).to.deep.equal({ id: 1 });
    expect(asked).to.have.length(5);
    expect(new Set(asked.map(({ headers }) => headers['idempotency-key']))).to.have.property('size', 1);
    expect(new Set(asked.map(({ body }) => body))).to.have.property('size', 1);
  });

  it('have an Idempotency-Key of their own each, or the one that is given', async () => {
    const client = clientOf();
    await client.events.publish(1, { event_name: 'a' });
    await client.events.publish(1, { event_name: 'a' });
    await client.events.publish(1, { event_name: 'a' }, { idempotencyKey: 'mine' });
    const keys = asked.map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys)).to.have.property('size', 3);
    expect(keys[2]).to.equal('mine');
    await client.channels.get(1);
    expect(asked[3]?.headers).not.to.have.property('idempotency-key');
  });

  it('are given up after so many times, with the last error', async () => {
    replies = Array.from({ length: 9 }, () => problem(503, 'stopping'));
    const error = await errorOf(clientOf({ retries: 2 }).channels.get(1));
    expect(error).to.be.instanceOf(ApiError).and.to.include({ status: 503, code: 'stopping' });
    expect(asked).to.have.length(3);
    replies = [breakOff, breakOff];
    expect(await errorOf(clientOf({ retries: 1 }).channels.get(1))).to.be.instanceOf(ConnectionError);
  });

  it('are not repeated where that changes nothing, nor where it would take too long', async () => {
    replies = [problem(422, 'fields-invalid'), problem(429, 'too-many-bad-keys', { 'retry-after': '61' })];
    expect(await errorOf(clientOf().channels.get(1))).to.include({ code: 'fields-invalid' });
    expect(await errorOf(clientOf().channels.get(1))).to.include({ code: 'too-many-bad-keys', retryAfterMs: 61_000 });
    expect(asked).to.have.length(2);
  });

  it('take a Retry-After that is a date', async () => {
    const past = new Date(Date.now() - 60_000).toUTCString();
    replies = [problem(503, 'overloaded', { 'retry-after': past }), answer(200, { id: 1 })];
    expect(await clientOf({ backoffMs: 1_000_000 }).channels.get(1)).to.deep.equal({ id: 1 });
  });

  it('end in time, and when they are told to', async () => {
    replies = [() => undefined];
    const error = await errorOf(clientOf({ timeoutMs: 20, retries: 0 }).channels.get(1));
    expect(error).to.be.instanceOf(TimeoutError).and.to.include({ message: 'no answer in 20 ms' });
    const abort = new AbortController();
    replies = [() => abort.abort(new Error('enough'))];
    expect(await errorOf(clientOf().channels.get(1, { signal: abort.signal }))).to.include({ message: 'enough' });
    const waiting = new AbortController();
    replies = [problem(503, 'overloaded', { 'retry-after': '50' })];
    const call = errorOf(clientOf().channels.get(1, { signal: waiting.signal }));
    while (asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    waiting.abort(new Error('no more'));
    expect(await call).to.include({ message: 'no more' });
    expect(await errorOf(clientOf().channels.get(1, { signal: AbortSignal.abort(new Error('before')) }))).to.include({
      message: 'before',
    });
  });

  it('take what is gone for deleted where the answer to an earlier DELETE was lost, and only there', async () => {
    replies = [breakOff, problem(404, 'channel-not-found')];
    expect(await clientOf().channels.delete(1)).to.deep.equal({ response: 'ok' });
    replies = [problem(404, 'channel-not-found')];
    expect(await errorOf(clientOf().channels.delete(1))).to.include({ code: 'channel-not-found' });
    replies = [problem(429, 'too-many-bad-keys'), problem(404, 'channel-not-found')];
    expect(await errorOf(clientOf().channels.delete(1))).to.include({ code: 'channel-not-found' });
  });

  it('say what went wrong: problems by their code and fields, and what is none as it is', async () => {
    const errors = [{ field: 'name', message: 'is required' }];
    const body = {
      type: '/docs/errors#fields-invalid',
      title: 'A title',
      status: 422,
      detail: 'name is required.',
      errors,
    };
    replies = [answer(422, body, { 'x-request-id': 'abc' })];
    const error = await errorOf(clientOf().channels.get(1));
    expect(error).to.include({ status: 422, message: 'A title: name is required.', requestId: 'abc' });
    expect(error.errors).to.deep.equal(errors);
    expect(isProblem(error)).to.equal(true);
    expect(isProblem(error, 'guid-taken')).to.equal(false);
    expect(isProblem(error, 'guid-taken', 'fields-invalid')).to.equal(true);
    expect(isProblem(new Error('another'))).to.equal(false);
    replies = [(response) => response.writeHead(413).end('<html>too large</html>'), answer(418, { a: 1 })];
    const other = await errorOf(clientOf().channels.get(1));
    expect(other).to.include({ status: 413, code: undefined, message: '<html>too large</html>' });
    expect(isProblem(other)).to.equal(false);
    expect(await errorOf(clientOf().channels.get(1))).to.include({ status: 418, message: '{"a":1}' });
  });

  it('go nowhere else with the key', async () => {
    replies = [(response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()];
    expect(await errorOf(clientOf({ retries: 0 }).channels.get(1))).to.be.instanceOf(ConnectionError);
  });

  it('follow lists by the query of their Link, whatever address it names', async () => {
    const link = (after: number) => ({
      link: `<https://elsewhere.example/v1/channels/1/events?after=${after}&limit=2>; rel="next"`,
    });
    const list = () => {
      replies = [answer(200, [{ id: 4 }, { id: 3 }], link(3)), answer(200, [], link(2)), answer(200, [{ id: 1 }])];
      return clientOf().events.list(1, { limit: 2, event_name: 'a' });
    };
    const ids: number[] = [];
    for await (const { id } of list()) ids.push(id);
    expect(ids).to.deep.equal([4, 3, 1]);
    expect(asked.map(({ path }) => path?.replace('/v1/channels/1/events', ''))).to.deep.equal([
      ...['?limit=2&event_name=a', '?limit=2&event_name=a&after=3', '?limit=2&event_name=a&after=2'],
    ]);
    const lengths: number[] = [];
    for await (const page of list().pages()) lengths.push(page.length);
    expect(lengths).to.deep.equal([2, 0, 1]);
    asked = [];
    for await (const { id } of list()) if (id === 4) break;
    expect(asked).to.have.length(1);
  });
});
