import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { expect } from 'chai';
import { pino } from 'pino';
import { createHttpServer, type HttpServer, type LIMITS } from '../../../services/gateway/server.ts';
import { answersIn, openRaw } from '../../support/raw-http.ts';
import { waitFor } from '../../support/wait.ts';

/** Short enough for a test to wait for; what matters is that they end. */
const SHORT: Partial<typeof LIMITS> = { headersMs: 150, requestMs: 300, slowLookMs: 20 };
const LONG_BODY = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const LAST_GET = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';

describe('the HTTP server', () => {
  const running: HttpServer[] = [];
  const said: string[] = [];
  afterEach(async () => {
    said.length = 0;
    for (const server of running.splice(0)) await server.drain();
  });

  async function start(listener: RequestListener, limits: Partial<typeof LIMITS> = {}) {
    const log = pino({ level: 'debug' }, { write: (line: string) => void said.push(line) });
    const server = createHttpServer(listener, log, limits);
    await server.listen(0, '127.0.0.1');
    running.push(server);
    return { url: `http://127.0.0.1:${server.port}` };
  }

  /** Answers once the body is there. */
  const whole: RequestListener = (request, response) => {
    request.resume().on('end', () => response.end('ok'));
  };
  /** Answers when the test says so. */
  function held() {
    const waiting: [IncomingMessage, ServerResponse][] = [];
    const listener: RequestListener = (request, response) => void waiting.push([request, response]);
    return { listener, waiting, whenWaiting: (count: number) => waitFor('requests', () => waiting.length >= count) };
  }

  const SLOW: Record<string, string> = {
    'says nothing': '',
    'never ends its line': 'GET /',
    'never ends its headers': 'GET / HTTP/1.1\r\nhost: a\r\nx: ',
    'never ends its body': `${LONG_BODY}a`,
    'never ends its chunks': 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n',
    'never ends its second request': `${GET}GET /`,
  };
  for (const [what, bytes] of Object.entries(SLOW)) {
    it(`ends a connection that ${what}`, async () => {
      const { url } = await start(whole, SHORT);
      const connection = await openRaw(url);
      connection.write(bytes);
      const answers = answersIn(await connection.closed);
      expect(answers.at(-1)?.status).to.equal(408);
      expect(JSON.parse(answers.at(-1)?.body ?? '')).to.include({ type: '/docs/errors#request-timeout' });
    });
  }

  it('ends a connection that drips, however often', async () => {
    const { url } = await start(whole, SHORT);
    const connection = await openRaw(url);
    connection.write('GET / HTTP/1.1\r\nhost: a\r\n');
    const dripping = setInterval(() => connection.write('a: b\r\n'), 20);
    await connection.closed.finally(() => clearInterval(dripping));
    expect(answersIn(connection.received)[0]?.status).to.equal(408);
  });

  it('ends a connection that goes on sending a body after it was answered', async () => {
    const { url } = await start((_, response) => response.end('no'), SHORT);
    const connection = await openRaw(url);
    connection.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n');
    const sending = setInterval(() => connection.write('a'.repeat(1_000)), 5);
    await connection.closed.finally(() => clearInterval(sending));
    expect(answersIn(connection.received)[0]?.status).to.equal(200);
  });

  it('ends a connection that takes no byte of a long answer', async () => {
    const cut = Promise.withResolvers<boolean>();
    const { url } = await start(
      (_, response) => {
        response.once('close', () => cut.resolve(!response.writableFinished));
        response.end('a'.repeat(64 * 1024 * 1024));
      },
      { silenceMs: 200 },
    );
    const connection = await openRaw(url);
    connection.socket.pause();
    connection.write(GET);
    expect(await cut.promise).to.equal(true);
    connection.socket.destroy();
  });

  it('holds as many connections as it may, and takes new ones once there is room', async () => {
    const { url } = await start(whole, { connections: 2 });
    const [first] = [await openRaw(url), await openRaw(url)];
    const third = await openRaw(url);
    expect(await third.closed).to.equal('');
    const fourth = await openRaw(url);
    expect(await fourth.closed).to.equal('');
    expect(said.filter((line) => line.includes('MAX_CONNECTIONS'))).to.have.length(1);
    expect(await first.exchange(LAST_GET)).to.have.length(1);
    await waitFor('room', async () => {
      const [answer] = await (await openRaw(url)).exchange(LAST_GET);
      return answer?.status === 200;
    });
  });

  it('answers nonsense only after the request before it has its answer', async () => {
    const { listener, waiting, whenWaiting } = held();
    const { url } = await start(listener);
    const connection = await openRaw(url);
    connection.write(`${GET}nonsense\r\n\r\n`);
    await whenWaiting(1);
    // What was wrongly sent before the answer would be here by then.
    const other = (await openRaw(url)).exchange('more nonsense\r\n\r\n');
    expect((await other)[0]?.status).to.equal(400);
    expect(connection.received).to.equal('');
    waiting[0]?.[1].end('the answer');
    const [first, second, ...more] = answersIn(await connection.closed);
    expect(first).to.include({ status: 200, body: 'the answer' });
    expect(second?.status).to.equal(400);
    expect(more).to.deep.equal([]);
  });

  it('answers a body that is broken at once, once', async () => {
    const { url } = await start(whole);
    const connection = await openRaw(url);
    connection.write('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n');
    connection.write('zz\r\n');
    expect(answersIn(await connection.closed).map(({ status }) => status)).to.deep.equal([400]);
  });

  it('keeps the order of requests that do not wait for their answers', async () => {
    const { listener, waiting, whenWaiting } = held();
    const { url } = await start(listener);
    const bytes = GET.replace('/', '/a') + GET.replace('/', '/b') + LAST_GET.replace('/', '/c');
    const exchanged = (await openRaw(url)).exchange(bytes);
    await whenWaiting(3);
    for (const [request, response] of [...waiting].reverse()) response.end(request.url);
    expect((await exchanged).map(({ body }) => body)).to.deep.equal(['/a', '/b', '/c']);
  });

  it('sends no body where a HEAD has gone wrong', async () => {
    const { url } = await start(whole);
    const long = `x: ${'a'.repeat(20_000)}\r\n\r\n`;
    for (const [bytes, hasBody] of [
      [`HEAD / HTTP/1.1\r\nhost: a\r\n${long}`, false],
      ['HEAD / HTTP/1.1\r\nhost : a\r\n\r\n', false],
      [`${GET}HEAD / HTTP/1.1\r\nhost : a\r\n\r\n`, false],
      [`GET / HTTP/1.1\r\nhost: a\r\n${long}`, true],
      [`GET / HTTP/1.1\r\nhost: a\r\nx: HEAD \r\n${long}`, true],
    ] as const) {
      const connection = await openRaw(url);
      connection.write(bytes);
      const answer = await connection.closed;
      expect(answer.endsWith('}'), answer).to.equal(hasBody);
      expect(answer).to.match(/HTTP\/1\.1 4(31|00) /);
    }
  });

  it('has a problem for methods that nobody knows, with those that there are', async () => {
    const { url } = await start(whole);
    for (const [bytes, status] of [
      ['FOO / HTTP/1.1\r\nhost: a\r\n\r\n', 405],
      ['get / HTTP/1.1\r\nhost: a\r\n\r\n', 405],
      ['CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n', 405],
      ['F(O / HTTP/1.1\r\nhost: a\r\n\r\n', 400],
      ['nonsense\r\n\r\n', 400],
      ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
      ['\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', 400],
    ] as const) {
      const [answer] = await (await openRaw(url)).exchange(bytes);
      expect(answer?.status, bytes).to.equal(status);
      expect(answer?.headers.allow, bytes).to.equal(
        status === 405 ? 'GET, HEAD, POST, PUT, DELETE, OPTIONS' : undefined,
      );
      expect(answer?.headers['x-request-id'], bytes).to.match(/^[0-9a-f-]{36}$/);
      expect(answer?.headers['x-content-type-options'], bytes).to.equal('nosniff');
    }
    const [, second] = await (await openRaw(url)).exchange(`${GET}FOO / HTTP/1.1\r\nhost: a\r\n\r\n`);
    expect(second?.status).to.equal(405);
  });
});
