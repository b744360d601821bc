import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import type { AttemptError } from '../../../../domain/delivery.ts';
import { createOutbound, type Outbound } from '../../../../infra/outbound/post.ts';
import { ANYWHERE, destinations } from '../../../support/destinations.ts';
import { type Behaviour, type Receiver, startReceiver } from '../../../support/receiver.ts';

const BODY = Buffer.from('{"id":1}');
const HEADERS = { 'content-type': 'application/json', 'webhook-id': 'msg_1_2' };
const KIB = 1_024;

describe('outbound POST', () => {
  let receiver: Receiver;
  let outbound: Outbound;
  before(async () => {
    receiver = await startReceiver();
  });
  after(() => receiver.close());
  beforeEach(() => {
    receiver.reset();
    outbound = createOutbound({ timeoutMs: 10_000, destinations: ANYWHERE });
  });
  afterEach(() => outbound.close());

  const post = (url = receiver.url()) => outbound.post(url, HEADERS, BODY);

  async function expectError(url: string, error: AttemptError) {
    const answer = await post(url);
    expect(answer).to.include({ status_code: null, error, response_body: '' });
  }

  it('sends method, path with query, headers and body as they are', async () => {
    await post(receiver.url('/a%20b/c?x=1&y=%2F#part'));
    const [hit] = receiver.hits;
    expect(hit).to.include({ method: 'POST', path: '/a%20b/c?x=1&y=%2F' });
    expect(hit?.headers).to.include({ ...HEADERS, 'content-length': String(BODY.length) });
    expect(hit?.headers.host).to.equal(`127.0.0.1:${receiver.port}`);
    expect(hit?.body).to.deep.equal(BODY);
  });

  for (const status of [200, 201, 204, 301, 302, 304, 307, 308, 400, 404, 410, 429, 500, 503]) {
    it(`takes the answer ${status} for what it is`, async () => {
      const body = [204, 304].includes(status) ? '' : 'what it says';
      receiver.reply({ status, body, headers: { location: receiver.url('/elsewhere') } });
      const answer = await post();
      expect(answer).to.include({ status_code: status, error: null, response_body: body });
      expect(answer.duration_ms).to.be.at.least(0).and.satisfy(Number.isInteger);
      expect(receiver.hits).to.have.length(1);
    });
  }

  it('says what the answer asks for with Retry-After, where it does', async () => {
    receiver.reply({ status: 503, headers: { 'Retry-After': '120' } });
    expect((await post()).retry_after).to.equal('120');
    receiver.reply({ status: 503 });
    expect(await post()).to.not.have.any.keys('retry_after');
  });

  it('sends no cookie that it was given', async () => {
    receiver.reply({ headers: { 'set-cookie': 'a=b' } });
    await post();
    await post();
    expect(receiver.hits.map(({ headers }) => headers.cookie)).to.deep.equal([undefined, undefined]);
  });

  it('gives up on an answer whose headers do not come in time', async () => {
    const hasty = createOutbound({ timeoutMs: 50, destinations: ANYWHERE });
    receiver.reply({ behaviour: 'hang' });
    const answer = await hasty.post(receiver.url(), HEADERS, BODY);
    expect(answer).to.include({ status_code: null, error: 'timeout', response_body: '' });
    await hasty.close();
  });

  it('goes on with others while one hangs', async () => {
    receiver.reply({ behaviour: 'hang' }, '/hangs');
    const hanging = post(receiver.url('/hangs'));
    await receiver.whenHits(1);
    expect((await post()).status_code).to.equal(200);
    await outbound.close();
    expect(await hanging).to.include({ status_code: null });
  });

  it('says connection_refused where nobody listens', async () => {
    const gone = await startReceiver();
    await gone.close();
    await expectError(gone.url(), 'connection_refused');
  });

  for (const behaviour of ['close', 'close-mid-head'] satisfies Behaviour[]) {
    it(`says connection_reset where the connection ends before the headers have (${behaviour})`, async () => {
      receiver.reply({ behaviour });
      await expectError(receiver.url(), 'connection_reset');
    });
  }

  it('says dns where the name has no address', () => expectError('http://nowhere.invalid/', 'dns'));

  it('says tls where the other side does not speak it', () =>
    expectError(`https://127.0.0.1:${receiver.port}/`, 'tls'));

  describe('at a server of another kind', () => {
    let server: Server | undefined;
    const sockets = new Set<Socket>();
    afterEach(() => {
      for (const socket of sockets) socket.destroy();
      server?.close();
    });
    async function urlOf(respond: (socket: Socket) => void): Promise<string> {
      server = createServer((socket) => {
        sockets.add(socket.on('error', () => {}));
        socket.once('data', () => respond(socket));
      });
      await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    }

    it('says protocol where the answer is none', async () => {
      await expectError(await urlOf((socket) => socket.write('220 mail.example ESMTP\r\n')), 'protocol');
    });

    it('says protocol where the headers are endless', async () => {
      const line = `x-long: ${'x'.repeat(1_000)}\r\n`;
      await expectError(await urlOf((socket) => socket.write(`HTTP/1.1 200 OK\r\n${line.repeat(30)}`)), 'protocol');
    });

    it('keeps 1,024 bytes of a body that comes in pieces', async () => {
      const piece = `258\r\n${'x'.repeat(600)}\r\n`;
      const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
      const answer = await post(await urlOf((socket) => socket.write(`${head}${piece}${piece}${piece}0\r\n\r\n`)));
      expect(answer.response_body).to.equal('x'.repeat(KIB));
    });

    it('takes an interim answer for none', async () => {
      const hasty = createOutbound({ timeoutMs: 50, destinations: ANYWHERE });
      const url = await urlOf((socket) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'));
      expect(await hasty.post(url, HEADERS, BODY)).to.include({ status_code: null, error: 'timeout' });
      await hasty.close();
    });

    it('waits past an interim answer for the real one', async () => {
      const both = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno';
      const answer = await post(await urlOf((socket) => socket.write(both)));
      expect(answer).to.include({ status_code: 500, response_body: 'no' });
    });
  });

  describe('body of the answer', () => {
    it('is kept up to 1,024 bytes', async () => {
      receiver.reply({ body: 'x'.repeat(KIB) });
      expect((await post()).response_body).to.equal('x'.repeat(KIB));
      receiver.reply({ body: `${'x'.repeat(KIB)}y` });
      expect((await post()).response_body).to.equal('x'.repeat(KIB));
    });

    it('is kept from all its pieces', async () => {
      receiver.reply({ behaviour: 'drip', body: 'begins' });
      expect((await post()).response_body).to.match(/^begins\.+$/);
    });

    async function connectionsForTen(): Promise<number> {
      const before = receiver.connections();
      for (let n = 0; n < 10; n++) expect(await post()).to.include({ status_code: 200, error: null });
      return receiver.connections() - before;
    }

    it('is read whole up to 64 KiB, and the connection used again', async () => {
      receiver.reply({ body: 'x'.repeat(64 * KIB) });
      // Two: the next POST may begin before the first connection has been given back.
      expect(await connectionsForTen()).to.be.at.most(2);
    });

    it('is cut above 64 KiB, and the connection given up', async () => {
      receiver.reply({ body: 'x'.repeat(64 * KIB + 1) });
      expect(await connectionsForTen()).to.equal(10);
    });

    it('is cut where it takes too long, the status decides, and the connection is given up', async () => {
      receiver.reply({ behaviour: 'drip', status: 200 });
      const before = receiver.connections();
      expect(await post()).to.include({ status_code: 200, error: null });
      receiver.reply({});
      await post();
      expect(receiver.connections() - before).to.equal(2);
    });

    it('may break off: the status decides', async () => {
      receiver.reply({ behaviour: 'close-mid-body', status: 200, body: 'half' });
      expect(await post()).to.include({ status_code: 200, error: null });
    });
  });

  describe('without private networks', () => {
    let careful: Outbound;
    beforeEach(() => {
      careful = createOutbound({ timeoutMs: 10_000, destinations: destinations() });
    });
    afterEach(() => careful.close());

    for (const host of ['127.0.0.1', '127.1', '2130706433', '0x7f000001', '[::ffff:127.0.0.1]', '[::1]', 'localhost']) {
      it(`reaches nothing at ${host}`, async () => {
        const before = receiver.connections();
        const answer = await careful.post(`http://${host}:${receiver.port}/`, HEADERS, BODY);
        expect(answer).to.include({ status_code: null, error: 'blocked_address' });
        expect(receiver.connections()).to.equal(before);
      });
    }

    it('says so again and again, with TLS too', async () => {
      for (const url of ['https://127.0.0.1/', 'https://localhost/', 'https://localhost/']) {
        expect((await careful.post(url, HEADERS, BODY)).error).to.equal('blocked_address');
      }
    });

    it('says dns where the name has no address', async () => {
      expect((await careful.post('http://nowhere.invalid/', HEADERS, BODY)).error).to.equal('dns');
    });
  });
});
