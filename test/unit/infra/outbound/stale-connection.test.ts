import type { Socket } from 'node:net';
import { expect } from 'chai';
import { createOutbound, type Outbound } from '../../../../infra/outbound/post.ts';
import { ANYWHERE } from '../../../support/destinations.ts';
import { type HostileServer, OK, onRequests, startHostileServer } from '../../../support/hostile-server.ts';

const BODY = Buffer.from('{"id":1}');
const HEADERS = { 'content-type': 'application/json', 'webhook-id': 'msg_1_2', 'webhook-signature': 'v1,x' };

/** What the other side does with the second request on a connection. */
type End = (socket: Socket) => void;

describe('a connection that is used again', () => {
  let server: HostileServer | undefined;
  let outbound: Outbound;
  const requests: string[] = [];
  beforeEach(() => {
    requests.length = 0;
    outbound = createOutbound({ timeoutMs: 10_000, destinations: ANYWHERE });
  });
  afterEach(async () => {
    await outbound.close();
    await server?.close();
  });

  /** Answers the first request on each of the first `good` connections; what comes after it, or on later ones, ends in this way. */
  async function serverThatEnds(end: End, good = Number.POSITIVE_INFINITY): Promise<HostileServer> {
    server = await startHostileServer((socket, connection) => {
      onRequests(socket, (request, nth) => {
        requests.push(request);
        if (nth === 1 && connection <= good) socket.write(OK);
        else end(socket);
      });
    });
    return server;
  }

  async function post(url: string) {
    const answer = await outbound.post(url, HEADERS, BODY);
    // The connection is back in the pool then.
    await new Promise(setImmediate);
    return answer;
  }

  const CLOSED_UNHEARD: Readonly<Record<string, End>> = {
    'with a FIN': (socket) => socket.end(),
    'with a reset': (socket) => socket.resetAndDestroy(),
  };
  for (const [how, end] of Object.entries(CLOSED_UNHEARD)) {
    it(`and closed just as we write (${how}): the POST is made once more, on a new one`, async () => {
      const { url, connections } = await serverThatEnds(end);
      expect(await post(url)).to.include({ status_code: 200, error: null });
      expect(await post(url)).to.include({ status_code: 200, error: null, response_body: 'ok' });
      expect(connections()).to.equal(2);
      const [, lost, again] = requests as [string, string, string];
      expect(requests).to.have.length(3);
      expect(again.replace('connection: close', 'connection: keep-alive')).to.equal(lost);
    });

    it(`is given up after that one try (${how})`, async () => {
      const { url } = await serverThatEnds(end, 1);
      await post(url);
      expect(await post(url)).to.include({ status_code: null, error: 'connection_reset' });
      expect(requests).to.have.length(3);
    });
  }

  it('is not tried twice where it was new', async () => {
    const { url, connections } = await serverThatEnds((socket) => socket.resetAndDestroy(), 0);
    expect(await post(url)).to.include({ status_code: null, error: 'connection_reset' });
    expect([requests.length, connections()]).to.deep.equal([1, 1]);
  });

  const HEARD: Readonly<Record<string, string>> = {
    'half an answer': 'HTTP/1.1 500 Inte',
    'a single byte': 'H',
    'an interim answer': 'HTTP/1.1 103 Early Hints\r\n\r\n',
  };
  for (const [what, text] of Object.entries(HEARD)) {
    it(`is not tried twice where ${what} has come: the other side has the POST`, async () => {
      const { url } = await serverThatEnds((socket) => socket.end(text));
      await post(url);
      expect(await post(url)).to.include({ status_code: null, error: 'connection_reset' });
      expect(requests).to.have.length(2);
    });
  }

  it('is not tried twice where the answer was none', async () => {
    const { url } = await serverThatEnds((socket) => socket.end('220 mail.example\r\n'));
    await post(url);
    expect(await post(url)).to.include({ status_code: null, error: 'protocol' });
    expect(requests).to.have.length(2);
  });

  it('has one time limit for both tries', async () => {
    await outbound.close();
    outbound = createOutbound({ timeoutMs: 300, destinations: ANYWHERE });
    let isFirst = true;
    server = await startHostileServer((socket) => {
      const answers = isFirst;
      isFirst = false;
      onRequests(socket, (request, nth) => {
        requests.push(request);
        if (answers && nth === 1) socket.write(OK);
        else if (answers) socket.resetAndDestroy();
      });
    });
    await post(server.url);
    expect(await post(server.url)).to.include({ status_code: null, error: 'timeout' });
    expect(requests).to.have.length(3);
  });
});
