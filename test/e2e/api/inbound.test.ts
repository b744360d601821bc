import { EventStoreDBClient } from '@eventstore/db-client';
import { expect } from 'chai';
import { FORM_TYPE, JSON_TYPE } from '../../support/media-types.ts';
import { openRaw, type RawAnswer } from '../../support/raw-http.ts';
import { startReceiver } from '../../support/receiver.ts';
import { waitFor } from '../../support/wait.ts';
import { type InProcess, startInProcess } from './in-process.ts';
import { type Channel, useStack } from './support.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The promise: a request means one thing or is refused, and nothing that it holds does anything but stand there. */
describe('what comes in', () => {
  const { send, url, newChannel, stack, call } = useStack({ LOG_LEVEL: 'debug' });
  let channel: Channel;
  before(async () => {
    channel = await newChannel();
  });

  /** One request, as it stands, on a connection of its own. */
  async function raw(lines: readonly string[], body = ''): Promise<RawAnswer> {
    const text = `${[...lines, 'connection: close'].join('\r\n')}\r\n\r\n${body}`;
    const [answer, ...more] = await (await openRaw(url())).exchange(text);
    expect(more).to.deep.equal([]);
    return answer as RawAnswer;
  }
  const typeOf = ({ body }: RawAnswer) => JSON.parse(body).type;
  const auth = () => `authorization: Bearer ${channel.publisher_key}`;
  const publishing = (...headers: string[]) => [
    ...[`POST /v1/channels/${channel.id}/events HTTP/1.1`, 'host: localhost', ...headers],
  ];
  const EVENT = '{"event_name":"a"}';
  const LENGTH = `content-length: ${EVENT.length}`;
  const TYPE = `content-type: ${JSON_TYPE}`;

  describe('in a head', () => {
    it('has the host once', async () => {
      for (const [head, code] of [
        [['GET /healthz HTTP/1.1'], 'malformed-request'],
        [['GET /healthz HTTP/1.1', 'host: localhost', 'host: localhost'], 'malformed-request'],
        [['GET /healthz HTTP/1.1', 'host: evil.example'], 'host-unknown'],
      ] as const) {
        expect(typeOf(await raw(head)), head.join()).to.equal(`/docs/errors#${code}`);
      }
      expect((await raw(['GET /healthz HTTP/1.1', 'host: localhost:1'])).status).to.equal(200);
      expect((await raw(['GET /healthz HTTP/1.0'])).status).to.equal(200);
    });

    it('is of HTTP/1', async () => {
      for (const line of ['GET /healthz', 'GET /healthz HTTP/0.9', 'GET /healthz HTTP/2.0', 'GET /healthz HTTP/1.2']) {
        const connection = await openRaw(url());
        connection.write(`${line}\r\n\r\n`);
        connection.socket.end();
        expect(await connection.closed, line).to.match(/^HTTP\/1\.1 400 /);
      }
    });

    const TWICE: Record<string, readonly string[]> = {
      keys: [`authorization: Bearer pk_${'0'.repeat(40)}`],
      'idempotency keys': ['idempotency-key: a', 'Idempotency-Key: a'],
      'content types': ['content-type: text/plain'],
      'content types that are the same': [TYPE],
      'request ids': ['x-request-id: a', 'x-request-id: b'],
    };
    for (const [what, headers] of Object.entries(TWICE)) {
      it(`does not have two ${what}`, async () => {
        const answer = await raw(publishing(auth(), TYPE, LENGTH, ...headers), EVENT);
        expect(typeOf(answer)).to.equal('/docs/errors#malformed-request');
        expect(answer.status).to.equal(400);
      });
    }

    it('may have other headers twice, and 100 of them', async () => {
      const many = (count: number) => Array.from({ length: count }, () => 'x-any: a');
      // host, authorization, content-type, content-length and connection are five.
      expect((await raw(publishing(auth(), TYPE, LENGTH, ...many(95)), EVENT)).status).to.equal(201);
      const answer = await raw(publishing(auth(), TYPE, LENGTH, ...many(96)), EVENT);
      expect(typeOf(answer)).to.equal('/docs/errors#headers-too-large');
      expect(answer.status).to.equal(431);
    });

    const AMBIGUOUS: Record<string, readonly string[]> = {
      'a length and chunks': [LENGTH, 'transfer-encoding: chunked'],
      'two lengths': [LENGTH, 'content-length: 1'],
      'a length that is a list': ['content-length: 18, 18'],
      'a length with a sign': ['content-length: +18'],
      'two transfer encodings': ['transfer-encoding: chunked', 'transfer-encoding: identity'],
      'an encoding after chunked': ['transfer-encoding: chunked, identity'],
      'a header on two lines': [LENGTH, 'x-a: b', ' c'],
      'a blank before a colon': [LENGTH, 'x-a : b'],
      'a header with a NUL': [LENGTH, 'x-a: b\0c'],
      'a header with a lone carriage return': [LENGTH, 'x-a: b\rc'],
    };
    for (const [what, headers] of Object.entries(AMBIGUOUS)) {
      it(`does not have ${what}`, async () => {
        expect((await raw(publishing(auth(), TYPE, ...headers), EVENT)).status).to.equal(400);
      });
    }

    it('has no transfer encoding but chunked', async () => {
      const answer = await raw(publishing(auth(), TYPE, 'transfer-encoding: gzip, chunked'), '0\r\n\r\n');
      expect(typeOf(answer)).to.equal('/docs/errors#encoding-unknown');
    });

    it('is not waited for once it expects what there is not', async () => {
      const answer = await raw(publishing(auth(), TYPE, LENGTH, 'expect: miracles'), EVENT);
      expect(answer.status).to.equal(201);
    });

    it('is followed by a body only where that is asked for', async () => {
      const connection = await openRaw(url());
      const head = publishing(auth(), TYPE, LENGTH, 'expect: 100-continue', 'connection: close');
      connection.write(`${head.join('\r\n')}\r\n\r\n`);
      const [go, answer] = await connection.exchange(EVENT);
      expect([go?.status, answer?.status]).to.deep.equal([100, 201]);
    });
  });

  describe('as a path', () => {
    const NOWHERE = [
      ...[
        '/v1/channels/../../healthz',
        '/v1/../healthz',
        '/./healthz',
        '//healthz',
        '/healthz/',
        '/healthz/.',
        '/healthz//',
      ],
      ...['/%2e%2e/healthz', '/v1%2fchannels', '/v1/channels%2f1', '/v1%5cchannels', '/v1\\channels', '/healthz%00'],
      ...[
        '/%00',
        '/healthz%20',
        '/healthz;a=b',
        '/HEALTHZ',
        '/%68%65althz%2f',
        '/v1/channels/%',
        '/v1/channels/%ff',
        '/*',
        '*',
      ],
    ];
    for (const path of NOWHERE) {
      it(`leads nowhere: ${path}`, async () => {
        const answer = await raw([`GET ${path} HTTP/1.1`, 'host: localhost', auth()]);
        expect(answer.status).to.equal(404);
        expect(answer.headers['content-type']).to.equal('application/problem+json');
      });
    }

    it('does not take a whole for a part of it whose id is empty', async () => {
      const owned = await newChannel();
      for (const path of ['/', '/webhooks/', '/events/', '//webhooks']) {
        for (const method of ['GET', 'DELETE']) {
          const { status } = await send(method, `/v1/channels/${owned.id}${path}`, { key: owned.publisher_key });
          expect(status, `${method} ${path}`).to.equal(404);
        }
      }
      expect((await send('GET', `/v1/channels/${owned.id}`, { key: owned.publisher_key })).status).to.equal(200);
    });

    it('holds an id as it is, or it is none', async () => {
      const { id } = channel;
      for (const param of [
        `0${id}`,
        `${id}%00`,
        `${id}.0`,
        `%20${id}`,
        `${id}%2f`,
        `-${id}`,
        `${id}n`,
        `0x${id.toString(16)}`,
      ]) {
        const answer = await raw([`GET /v1/channels/${param} HTTP/1.1`, 'host: localhost', auth()]);
        expect(answer.status, param).to.equal(404);
      }
    });
  });

  describe('as JSON', () => {
    const post = (body: string) =>
      send('POST', `/v1/channels/${channel.id}/events`, { key: channel.publisher_key, type: JSON_TYPE, body });

    const TWICE: Record<string, string> = {
      'a field': '{"event_name":"a","event_name":"b"}',
      'a field in disguise': '{"event_name":"a","event\\u005fname":"b"}',
      'a key of data': '{"event_name":"a","data":{"x":[{"a":1,"a":1}]}}',
      __proto__: '{"event_name":"a","data":{"__proto__":1,"__proto__":2}}',
      'data, with more levels than there may be': `{"event_name":"a","data":${'['.repeat(1_000)}${']'.repeat(1_000)},"data":{}}`,
    };
    for (const [what, body] of Object.entries(TWICE)) {
      it(`does not have ${what} twice`, async () => {
        const { status, body: problem } = await post(body);
        expect(status).to.equal(400);
        expect(problem.type).to.equal('/docs/errors#malformed-body');
      });
    }

    it('may have 64 levels in a field, and no more', async () => {
      const nested = (levels: number) =>
        `{"event_name":"a","data":${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels)}`;
      expect((await post(nested(64))).status).to.equal(201);
      const { status, body } = await post(nested(65));
      expect(status).to.equal(422);
      expect(body.errors).to.deep.equal([{ field: 'data', message: 'must not be nested deeper than 64 levels' }]);
    });

    it('has no NUL that is not written as \\u0000', async () => {
      expect((await post('{"event_name":"a","ext_ref_code":"a\0b"}')).status).to.equal(400);
    });

    it('holds keys that mean something elsewhere, as what they are, from the request to the subscriber', async () => {
      const text =
        '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"toString":null,"\\u0000":"\\u0000","\\ud800":"\\udfff"}';
      const receiver = await startReceiver();
      try {
        const owned = await newChannel();
        await call('POST', `/v1/channels/${owned.id}/webhooks`, {
          key: owned.publisher_key,
          json: { webhook_url: receiver.url() },
        });
        const path = `/v1/channels/${owned.id}/events`;
        const {
          status,
          text: made,
          body: { id },
        } = await send('POST', path, {
          key: owned.publisher_key,
          type: JSON_TYPE,
          body: `{"event_name":"a","data":${text}}`,
        });
        expect(status).to.equal(201);
        const [hit] = await receiver.whenHits(1);
        const read = await send('GET', `${path}/${id}`, { key: owned.publisher_key });
        for (const shown of [made, read.text, hit?.body.toString()]) expect(shown).to.include(`"data":${text}`);
        expect(read.body).not.to.have.property('polluted');
        const { body: index } = await send('GET', '/');
        expect(index).not.to.have.property('polluted');
      } finally {
        await receiver.close();
      }
    });

    it('has no field named __proto__ or constructor where fields are known', async () => {
      for (const name of ['__proto__', 'constructor', 'hasOwnProperty']) {
        const { status, body } = await post(`{"event_name":"a","${name}":{}}`);
        expect(status, name).to.equal(422);
        expect(body.errors, name).to.deep.equal([{ field: name, message: 'is not known here' }]);
      }
    });

    it('holds texts of any characters, which come back as they were', async () => {
      const name = 'a\u0000b\u001f\u007f\u2028 \ud83d\ude00 \ud800 <script>\u202e';
      const { body, status } = await send('POST', '/v1/channels', {
        type: JSON_TYPE,
        body: JSON.stringify({ name, description: name }),
      });
      expect(status).to.equal(201);
      const read = await send('GET', `/v1/channels/${body.id}`, { key: body.publisher_key });
      expect(read.body).to.include({ name, description: name });
    });
  });

  it('may name headers of a webhook that are none', async () => {
    const post = (raw: { type: string; body: string }) =>
      send('POST', `/v1/channels/${channel.id}/webhooks`, { key: channel.publisher_key, ...raw });
    const form = await post({ type: FORM_TYPE, body: 'webhook_url=http://a.example&headers[a][toString][]=b' });
    expect(form.status, form.text).to.equal(422);
    const names = Array.from({ length: 20_000 }, (_, n) => `"${n.toString(36)}":1`);
    const body = `{"webhook_url":"http://a.example","headers":{${names.join()}}}`;
    expect((await post({ type: JSON_TYPE, body })).status).to.equal(422);
  });

  it('may be a list of very many, where few are taken', async () => {
    const items = Array.from({ length: 40_000 }, (_, n) => n).join();
    const body = `{"webhook_url":"http://a.example","signatures":[${items}]}`;
    const path = `/v1/channels/${channel.id}/webhooks`;
    const { status } = await send('POST', path, { key: channel.publisher_key, type: JSON_TYPE, body });
    expect(status).to.equal(422);
  });

  it('is of a type that is a type', async () => {
    for (const type of [
      `${JSON_TYPE};`,
      `${JSON_TYPE} ; charset`,
      `${JSON_TYPE};;`,
      `${FORM_TYPE}; =`,
      `${JSON_TYPE}, text/plain`,
    ]) {
      const path = `/v1/channels/${channel.id}`;
      const { status, text } = await send('PUT', path, { key: channel.publisher_key, type, body: '{"nmae":"x"}' });
      // Either it is read, and the field is unknown, or it is not read, and that is said.
      expect(status, `${type}: ${text}`).to.be.oneOf([415, 422]);
    }
  });

  it('may be answered to no more than 100 requests that wait on one connection', async () => {
    const get = `GET /v1/channels/${channel.id} HTTP/1.1\r\nhost: localhost\r\n${auth()}\r\n\r\n`;
    const few = await (await openRaw(url())).exchange(
      get.repeat(50) + get.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'),
    );
    expect(few.map(({ status }) => status)).to.deep.equal(Array(51).fill(200));
    // What comes after the close that answers it must be little: unread, it would have the kernel reset the connection, answers and all.
    const many = await (await openRaw(url())).exchange(get.repeat(110));
    const refused = many.findIndex(({ status }) => status !== 200);
    expect(refused).to.equal(101);
    expect(many[refused]?.status).to.equal(429);
    expect(many).to.have.length(102);
    expect(typeOf(many[refused] as RawAnswer)).to.equal('/docs/errors#pipelined-too-many');
  });

  describe('with an id', () => {
    it('keeps it where it is a sane one, in the answer, the log and the fact', async () => {
      const id = 'proxy-7.a:b/c=@+_1';
      const { headers, body } = await send('POST', '/v1/channels', {
        headers: { 'x-request-id': id },
        type: JSON_TYPE,
        body: '{"name":"a"}',
      });
      expect(headers.get('x-request-id')).to.equal(id);
      await waitFor('the line in the log', () =>
        stack()
          .output()
          .split('\n')
          .some((line) => line.includes(`"request_id":"${id}"`) && line.includes('"status":201')),
      );
      const { eventstoreUrl = '' } = await stack().run();
      const client = EventStoreDBClient.connectionString(eventstoreUrl);
      for await (const { event } of client.readStream(`channel-${body.id}`, { maxCount: 1 })) {
        expect(event?.metadata).to.include({ $causationId: id });
      }
      await client.dispose();
    });

    for (const id of ['', ' ', 'a b', 'ü', '"', '{}', '-a', 'a'.repeat(129), 'a\tb']) {
      it(`makes one of its own in place of "${id.slice(0, 10)}"`, async () => {
        const answer = await raw(['GET /healthz HTTP/1.1', 'host: localhost', `x-request-id: ${id}`]);
        expect(answer.headers['x-request-id']).to.match(UUID);
      });
    }
  });

  it('is told what the answer may not be used for', async () => {
    for (const path of ['/', '/healthz', '/nowhere', '/v1/channels/1']) {
      const { headers } = await send('GET', path);
      expect(headers.get('x-content-type-options'), path).to.equal('nosniff');
      expect(headers.get('content-security-policy'), path).to.equal("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get('referrer-policy'), path).to.equal('no-referrer');
      expect(headers.get('cross-origin-resource-policy'), path).to.equal('same-origin');
      expect(headers.get('cache-control'), path).to.equal('no-store');
      expect(headers.get('x-powered-by'), path).to.equal(null);
      expect(headers.get('server'), path).to.equal(null);
    }
  });
});

describe('pages of other sites', () => {
  let parts: InProcess;
  before(async () => {
    parts = await startInProcess();
  });
  after(() => parts?.stop());

  const ORIGIN = 'https://app.example';
  const cors = (headers: Headers) => [...headers].filter(([name]) => name.startsWith('access-control-'));
  const preflight = {
    origin: ORIGIN,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  };

  it('read nothing unless they are let', async () => {
    const gateway = await parts.startGateway();
    for (const [method, path, headers] of [
      ['GET', '/healthz', { origin: ORIGIN }],
      ['OPTIONS', '/v1/channels', preflight],
      ['GET', '/nowhere', { origin: ORIGIN }],
    ] as const) {
      expect(cors((await gateway.call(method, path, { headers })).headers), path).to.deep.equal([]);
    }
    const { status, body } = await gateway.call('POST', '/v1/channels', {
      headers: { origin: ORIGIN },
      form: { name: 'a' },
    });
    expect(status).to.equal(403);
    expect(body.type).to.equal('/docs/errors#cross-site');
    await gateway.stop();
  });

  it('do what they may where CORS_ORIGINS names them', async () => {
    const gateway = await parts.startGateway(0, { corsOrigins: [ORIGIN] });
    const asked = await gateway.call('OPTIONS', '/v1/channels', { headers: preflight });
    expect(asked.status).to.equal(204);
    expect(Object.fromEntries(cors(asked.headers))).to.deep.equal({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET,HEAD,POST,PUT,DELETE',
      'access-control-allow-headers': 'Authorization,Content-Type,Idempotency-Key,Last-Event-ID,X-Request-Id',
      'access-control-max-age': '600',
    });
    for (const [path, expected] of [
      ['/v1/channels', 201],
      ['/v1/channels/1/webhooks', 401],
    ] as const) {
      const { status, headers } = await gateway.call('POST', path, {
        headers: { origin: ORIGIN, 'sec-fetch-site': 'cross-site' },
        json: { name: 'a' },
      });
      expect(status).to.equal(expected);
      expect(headers.get('access-control-allow-origin'), path).to.equal(ORIGIN);
      expect(headers.get('access-control-allow-credentials'), path).to.equal(null);
      expect(headers.get('access-control-expose-headers'), path).to.include('X-Request-Id');
      expect(headers.get('vary'), path).to.equal('Origin');
    }
    const other = { ...preflight, origin: 'https://evil.example' };
    expect(cors((await gateway.call('OPTIONS', '/v1/channels', { headers: other })).headers)).to.deep.equal([]);
    const { status } = await gateway.call('POST', '/v1/channels', { headers: other, json: { name: 'a' } });
    expect(status).to.equal(403);
    await gateway.stop();
  });
});
