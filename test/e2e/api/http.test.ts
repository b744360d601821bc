import { expect } from 'chai';
import { ROUTES } from '../../../services/gateway/routes/routes.ts';
import { openRaw } from '../../support/raw-http.ts';
import { useStack } from './support.ts';

/** Methods of each path, written down by hand. */
const METHODS: Record<string, readonly string[]> = {
  '/': ['GET', 'HEAD'],
  '/healthz': ['GET', 'HEAD'],
  '/readyz': ['GET', 'HEAD'],
  '/metrics': ['GET', 'HEAD'],
  '/v1/channels': ['GET', 'HEAD', 'POST'],
  '/v1/channels/1': ['DELETE', 'GET', 'HEAD', 'PUT'],
  '/v1/channels/1/webhooks': ['GET', 'HEAD', 'POST'],
  '/v1/channels/1/webhooks/1': ['DELETE', 'GET', 'HEAD', 'PUT'],
  '/v1/channels/1/rotate_key': ['POST'],
  '/v1/channels/1/webhooks/1/rotate_key': ['POST'],
  '/v1/channels/1/webhooks/1/rotate_secret': ['POST'],
  '/v1/channels/1/webhooks/1/ping': ['POST'],
  '/v1/channels/1/webhooks/1/recover': ['POST'],
  '/v1/channels/1/webhooks/1/recoveries': ['GET', 'HEAD'],
  '/v1/channels/1/webhooks/1/recoveries/1': ['GET', 'HEAD'],
  '/v1/channels/1/webhooks/1/public_key': ['GET', 'HEAD'],
  '/v1/channels/1/webhooks/1/deliveries': ['GET', 'HEAD'],
  '/v1/channels/1/webhooks/1/feed': ['GET', 'HEAD'],
  '/v1/channels/1/webhooks/1/stats': ['GET', 'HEAD'],
  '/v1/channels/1/feed': ['GET', 'HEAD'],
  '/v1/channels/1/history': ['GET', 'HEAD'],
  '/v1/channels/1/webhooks/1/history': ['GET', 'HEAD'],
  '/v1/channels/1/erasure': ['GET', 'HEAD'],
  '/v1/checkpoint': ['GET', 'HEAD'],
  '/openapi.json': ['GET', 'HEAD'],
  '/docs': ['GET', 'HEAD'],
  '/docs/redoc.js': ['GET', 'HEAD'],
  '/docs/errors': ['GET', 'HEAD'],
  '/v1/channels/1/events': ['GET', 'HEAD', 'POST'],
  // By its path, an event of that id: there is none.
  '/v1/channels/1/events/batch': ['GET', 'HEAD', 'POST'],
  '/v1/channels/1/events/1': ['GET', 'HEAD'],
  '/v1/channels/1/events/1/redeliver': ['POST'],
  '/v1/channels/1/events/1/notification_log': ['GET', 'HEAD'],
};

describe('HTTP', () => {
  const { send, call, newChannel, url } = useStack();

  const allowOf = (headers: Headers) => headers.get('allow')?.split(', ').sort();

  it('has its paths written down here', () => {
    const paths = new Set(ROUTES.map(({ path }) => path.replaceAll(/:\w+/g, '1')));
    expect([...paths].sort()).to.deep.equal(Object.keys(METHODS).sort());
  });

  for (const [path, methods] of Object.entries(METHODS)) {
    it(`${path} names its methods, and refuses the others`, async () => {
      const allowed = [...methods, 'OPTIONS'].sort();
      const options = await send('OPTIONS', path);
      expect(options.status).to.equal(204);
      expect(allowOf(options.headers)).to.deep.equal(allowed);
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
        const { status, headers, body } = await send(method, path);
        if (methods.includes(method)) expect(status, method).not.to.equal(405);
        else {
          expect(status, method).to.equal(405);
          expect(body.type).to.equal('/docs/errors#method-not-allowed');
          expect(allowOf(headers)).to.deep.equal(allowed);
        }
      }
    });
  }

  it('answers HEAD like GET, without the body', async () => {
    const { id, publisher_key: key } = await newChannel();
    for (const path of ['/healthz', `/v1/channels/${id}`, '/v1/channels/1', '/nowhere']) {
      const [head, get] = [await send('HEAD', path, { key }), await send('GET', path, { key })];
      expect(head.status, path).to.equal(get.status);
      expect(head.text).to.equal('');
      for (const name of ['content-type', 'content-length'])
        expect(head.headers.get(name)).to.equal(get.headers.get(name));
    }
  });

  it('answers 404 with a problem where there is nothing', async () => {
    for (const path of [
      '/v1',
      '/v1/',
      '/v1/nothing',
      '/nowhere',
      '/v2/channels',
      '/V1/channels',
      '/v1/channels/1/nothing',
    ]) {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const { status, headers, body } = await send(method, path);
        expect(status, path).to.equal(404);
        expect(body.type).to.equal('/docs/errors#not-found');
        expect(headers.get('content-type')).to.equal('application/problem+json');
      }
    }
  });

  it('survives paths of any kind', async () => {
    const { publisher_key: key } = await newChannel();
    for (const path of ['/v1/channels/%', '/v1/channels/%ff', '/v1/channels/a%2Fb', '/v1/channels/..%2f', '/%00']) {
      expect((await send('GET', path, { key })).status, path).to.equal(404);
    }
    expect((await send('GET', `/v1/channels/${'a'.repeat(5_000)}`, { key })).status).to.equal(404);
  });

  it('says where things are', async () => {
    const { status, body } = await call('GET', '/');
    expect(status).to.equal(200);
    expect(body).to.include({ name: 'webhooks', api: '/v1/channels' });
    expect(body.version).to.match(/^\d+\.\d+\.\d+$/);
  });

  it('is alive and ready', async () => {
    expect((await call('GET', '/healthz')).body).to.deep.equal({ status: 'ok' });
    const { status, body } = await call('GET', '/readyz');
    expect(status).to.equal(200);
    expect(body.status).to.equal('ready');
  });

  it('gives every answer an id of its own, and none a place in a cache', async () => {
    const ids = new Set<string | null>();
    for (const path of ['/healthz', '/v1/channels/1', '/nowhere']) {
      const { headers } = await send('GET', path);
      expect(headers.get('cache-control')).to.equal('no-store');
      ids.add(headers.get('x-request-id'));
    }
    expect([...ids].filter(Boolean)).to.have.length(3);
  });

  it('answers what is no HTTP with a problem, and ends the connection', async () => {
    const big = `GET / HTTP/1.1\r\nhost: a\r\na: ${'a'.repeat(20_000)}\r\n\r\n`;
    const CASES: Record<string, [text: string, status: number]> = {
      nonsense: ['nonsense\r\n\r\n', 400],
      'an unknown method': ['FOO / HTTP/1.1\r\nhost: a\r\n\r\n', 405],
      'two lengths': ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na', 400],
      'headers without end': [big, 431],
    };
    for (const [name, [text, status]] of Object.entries(CASES)) {
      const [answer] = await (await openRaw(url())).exchange(text);
      expect(answer?.headers, name).to.include({ connection: 'close', 'content-type': 'application/problem+json' });
      expect(answer?.status, name).to.equal(status);
      expect(JSON.parse(answer?.body ?? ''), name).to.include({ status });
    }
  });

  it('goes on after a client that left in the middle of its body', async () => {
    const { id, publisher_key } = await newChannel();
    const head = [
      `POST /v1/channels/${id}/events HTTP/1.1`,
      'host: localhost',
      `authorization: Bearer ${publisher_key}`,
      'content-type: application/json',
      'content-length: 100',
    ];
    const connection = await openRaw(url());
    connection.write(`${head.join('\r\n')}\r\n\r\n{"event_name"`);
    connection.socket.end();
    await connection.closed;
    expect((await call('GET', `/v1/channels/${id}/events`, { key: publisher_key })).body).to.deep.equal([]);
  });
});
