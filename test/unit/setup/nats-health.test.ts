import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { whenSick } from '../../../infra/local/nats-health.ts';

const TIMES = { askMs: 5, patienceMs: 50 };
const INFO = 'INFO {"server_name":"a"}\r\n';
const reply = (json: object) => `MSG probe 1 ${JSON.stringify(json).length}\r\n${JSON.stringify(json)}\r\n`;
const GOOD = reply({ type: 'io.nats.jetstream.api.v1.account_info_response', streams: 1 });
const OFF = reply({ type: 'io.nats.jetstream.api.v1.account_info_response', error: { code: 503 } });

describe('a nats-server', () => {
  let server: Server;
  let asked = 0;
  afterEach(() => server.close());

  /** A server that answers each question in turn, undefined for never; after the last one as that one. */
  async function answering(...answers: (string | undefined)[]): Promise<number> {
    asked = 0;
    server = createServer((socket: Socket) => {
      socket.on('error', () => {});
      socket.write(INFO);
      socket.once('data', () => {
        const answer = answers[Math.min(asked++, answers.length - 1)];
        if (answer !== undefined) socket.write(answer);
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function isSick(port: number): Promise<boolean> {
    const looking = new AbortController();
    const sick = whenSick(port, looking.signal, TIMES).then(() => true);
    const result = await Promise.race([sick, delay(400, false)]);
    looking.abort();
    await sick.catch(() => {});
    return result;
  }

  it('whose JetStream answers is well', async () => {
    expect(await isSick(await answering(GOOD))).to.equal(false);
    expect(asked).to.be.greaterThan(3);
  });

  it('that does not answer any more is sick', async () => {
    expect(await isSick(await answering(GOOD, undefined))).to.equal(true);
    expect(asked).to.equal(4);
  });

  it('whose JetStream is off is sick', async () => {
    expect(await isSick(await answering(OFF))).to.equal(true);
  });

  it('that misses a question now and then is well', async () => {
    const hiccups = Array.from({ length: 40 }, (_, n) => (n % 3 === 2 ? GOOD : undefined));
    expect(await isSick(await answering(...hiccups))).to.equal(false);
  });
});
