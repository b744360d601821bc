import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { createOutbound, type Outbound } from '../../../../infra/outbound/post.ts';
import { ANYWHERE } from '../../../support/destinations.ts';
import { type HostileServer, OK, onRequests, startHostileServer } from '../../../support/hostile-server.ts';
import { waitFor } from '../../../support/wait.ts';

const BODY = Buffer.from('{"id":1}');
const HEAD = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${HEAD}transfer-encoding: chunked\r\n\r\n`;

describe('a hostile subscriber', () => {
  let server: HostileServer | undefined;
  const opened: Outbound[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((outbound) => outbound.close()));
    await server?.close();
  });

  function outboundOf(timeoutMs = 10_000): Outbound {
    const outbound = createOutbound({ timeoutMs, destinations: ANYWHERE });
    opened.push(outbound);
    return outbound;
  }

  async function serverOf(handle: (socket: Socket, request: string, nth: number) => void): Promise<HostileServer> {
    let nth = 0;
    server = await startHostileServer((socket) =>
      onRequests(socket, (request) => {
        nth += 1;
        handle(socket, request, nth);
      }),
    );
    return server;
  }

  const post = (outbound: Outbound, url: string) => outbound.post(url, { 'webhook-id': 'msg_1_2' }, BODY);

  /** Writes a text again and again, as long as it is taken. */
  function flood(socket: Socket, text: string, everyMs: number) {
    const timer = setInterval(() => socket.write(text), everyMs);
    socket.on('close', () => clearInterval(timer));
  }

  for (const [what, begin, drip] of [
    ['its status line', 'HTTP/1.1 200 ', 'O'],
    ['its headers', `${HEAD}x-slow: `, 'x'],
    ['one header after the other', HEAD, 'x: y\r\n'],
  ] as const) {
    it(`that drips ${what} is cut off by the time limit`, async () => {
      const { url, open } = await serverOf((socket) => {
        socket.write(begin);
        flood(socket, drip, 5);
      });
      expect(await post(outboundOf(200), url)).to.include({ status_code: null, error: 'timeout' });
      await waitFor('the end of the connection', () => open() === 0);
    });
  }

  it('that sends interim answers without end is cut off', async () => {
    const { url, open } = await serverOf((socket) => flood(socket, 'HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n', 1));
    expect(await post(outboundOf(), url)).to.include({ status_code: null, error: 'protocol' });
    await waitFor('the end of the connection', () => open() === 0);
  });

  for (const [what, text] of [
    ['chunk extensions', `1;${'x'.repeat(1_000)}\r\ny\r\n`],
    ['tiny chunks', '1\r\ny\r\n'],
  ] as const) {
    it(`that sends ${what} without end has its status taken and is cut off`, async () => {
      const { url, open } = await serverOf((socket) => {
        socket.write(CHUNKED);
        flood(socket, text, 5);
      });
      expect(await post(outboundOf(), url)).to.include({ status_code: 200, error: null });
      await waitFor('the end of the connection', () => open() === 0);
    });
  }

  it('that sends trailers without end has its status taken and is cut off', async () => {
    const { url, open } = await serverOf((socket) => {
      socket.write(`${CHUNKED}0\r\n`);
      flood(socket, `x-more: ${'x'.repeat(1_000)}\r\n`, 1);
    });
    expect(await post(outboundOf(), url)).to.include({ status_code: 200, error: null });
    await waitFor('the end of the connection', () => open() === 0);
  });

  it('that sends a decompression bomb has it kept as it came, and cut off', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(200 * 1_024 * 1_024)));
    const { url } = await serverOf((socket) => {
      socket.write(`${HEAD}content-encoding: gzip, gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
      socket.write(bomb);
    });
    const answer = await post(outboundOf(), url);
    expect(answer.status_code).to.equal(200);
    expect(answer.response_body).to.equal(bomb.subarray(0, 1_024).toString());
  });

  it('is asked for nothing compressed, and told nothing else', async () => {
    let names: (string | undefined)[] = [];
    const { url } = await serverOf((socket, request) => {
      const [, ...lines] = request.split('\r\n\r\n', 1)[0]?.split('\r\n') ?? [];
      names = lines.map((line) => line.split(':', 1)[0]);
      socket.write(OK);
    });
    await post(outboundOf(), url);
    expect(names).to.have.members(['host', 'connection', 'webhook-id', 'content-length']);
  });

  it('that sends an answer nobody asked for has it not taken for that of the next POST', async () => {
    const { url, connections } = await serverOf((socket, _, nth) => {
      socket.write(nth === 1 ? `${OK}${OK}` : 'HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno');
    });
    const outbound = outboundOf();
    expect((await post(outbound, url)).status_code).to.equal(200);
    expect(await post(outbound, url)).to.include({ status_code: 500, response_body: 'no' });
    expect(connections()).to.equal(2);
  });

  for (const [what, text] of [
    ['two lengths', `${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\nok`],
    ['a length and chunks', `${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a header without a colon', `${HEAD}x-broken\r\n\r\n`],
    ['a NUL in a header', `${HEAD}x: a\0b\r\n\r\n`],
    ['a version of its own', 'HTTP/9.9 200 OK\r\n\r\n'],
    ['a status that is no number', 'HTTP/1.1 abc OK\r\n\r\n'],
  ] as const) {
    it(`that answers with ${what} has answered nothing`, async () => {
      const { url } = await serverOf((socket) => socket.write(text));
      expect(await post(outboundOf(), url)).to.include({ status_code: null, error: 'protocol' });
    });
  }

  it('that wants to switch protocols has not delivered', async () => {
    const switching = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';
    const { url, open } = await serverOf((socket) => socket.write(switching));
    expect((await post(outboundOf(), url)).status_code).to.equal(null);
    await waitFor('the end of the connection', () => open() === 0);
  });
});
