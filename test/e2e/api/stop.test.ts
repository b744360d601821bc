import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { StoreUnavailable } from '../../../infra/event-store/errors.ts';
import { waitFor } from '../../support/wait.ts';
import { type InProcess, startInProcess } from './in-process.ts';

/** The promise: what was accepted is answered before the gateway stops, and what comes too late is told so. */
describe('a gateway that stops', () => {
  let parts: InProcess;
  before(async () => {
    parts = await startInProcess();
  });
  after(() => parts?.stop());
  afterEach(() => parts.straighten());

  /** Holds every append back until the test lets go. */
  function holdAppends() {
    let held = 0;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    parts.bend(async (append, ...args) => {
      held += 1;
      await released;
      return append(...args);
    });
    return {
      release,
      whenHeld: (count: number) =>
        waitFor(
          'held appends',
          () => held,
          (seen) => seen >= count,
        ),
    };
  }

  it('answers what is under way, and closes those connections', async () => {
    const gateway = await parts.startGateway();
    const { whenHeld, release } = holdAppends();
    const answering = Array.from({ length: 5 }, () => gateway.call('POST', '/v1/channels', { json: { name: 'a' } }));
    await whenHeld(5);
    const stopping = gateway.stop();
    release();
    for (const { status, headers, body } of await Promise.all(answering)) {
      expect(status).to.equal(201);
      expect(headers.get('connection')).to.equal('close');
      expect(await parts.store.read(`channel-${body.id}`)).to.have.length(1);
    }
    await stopping;
  });

  it('takes no new connection', async () => {
    const gateway = await parts.startGateway();
    const { whenHeld, release } = holdAppends();
    const answering = gateway.call('POST', '/v1/channels', { json: { name: 'a' } });
    await whenHeld(1);
    const stopping = gateway.stop();
    const [error] = await once(connect(gateway.port, '127.0.0.1'), 'error');
    expect(error.code).to.equal('ECONNREFUSED');
    release();
    expect((await answering).status).to.equal(201);
    await stopping;
  });

  it('tells a request that is complete too late to go elsewhere', async () => {
    const gateway = await parts.startGateway();
    const { whenHeld, release } = holdAppends();
    const socket = connect(gateway.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (part) => {
      answer += part;
    });
    await new Promise((resolve) => socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n', resolve));
    // Sent later and seen there, so that the half request has been seen as well.
    const answering = gateway.call('POST', '/v1/channels', { json: { name: 'a' } });
    await whenHeld(1);
    const stopping = gateway.stop();
    socket.write('\r\n');
    await once(socket, 'close');
    expect(answer).to.match(/^HTTP\/1.1 503 /);
    expect(answer)
      .to.match(/^connection: close\r$/im)
      .and.to.match(/^retry-after: 1\r$/im);
    expect(answer).to.include('/docs/errors#stopping');
    release();
    expect((await answering).status).to.equal(201);
    await stopping;
  });

  it('does not wait for connections on which nothing is asked', async function () {
    // Less than the deadline after which a stop ends every connection.
    this.timeout(10_000);
    const gateway = await parts.startGateway();
    const silent = connect(gateway.port, '127.0.0.1');
    const agent = new Agent({ keepAlive: true });
    await once(silent, 'connect');
    const asked = request({ agent, port: gateway.port, path: '/healthz' }).end();
    const [answer] = await once(asked, 'response');
    await once(answer.resume(), 'end');
    const closed = once(silent.resume(), 'close');
    await gateway.stop();
    await closed;
    agent.destroy();
  });

  it('says when the port is taken', async () => {
    const gateway = await parts.startGateway();
    const error = await parts.startGateway(gateway.port).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error?.code).to.equal('EADDRINUSE');
    await gateway.stop();
  });
});

describe('a gateway whose event store fails', () => {
  let parts: InProcess;
  let gateway: Awaited<ReturnType<InProcess['startGateway']>>;
  before(async () => {
    parts = await startInProcess();
    gateway = await parts.startGateway();
  });
  after(async () => {
    await gateway?.stop();
    await parts?.stop();
  });

  it('answers 503 and when to come back', async () => {
    const channel = await gateway.newChannel();
    parts.bend(async () => {
      throw new StoreUnavailable(new Error('gone'));
    });
    const WRITES: [string, string, object][] = [
      ['POST', '/v1/channels', { name: 'a' }],
      ['PUT', `/v1/channels/${channel.id}`, { name: 'b' }],
      ['POST', `/v1/channels/${channel.id}/webhooks`, { webhook_url: 'http://127.0.0.1:9/' }],
      ['POST', `/v1/channels/${channel.id}/events`, { event_name: 'a' }],
    ];
    for (const [method, path, json] of WRITES) {
      const { status, headers, body } = await gateway.call(method, path, { key: channel.publisher_key, json });
      expect(status, path).to.equal(503);
      expect(headers.get('retry-after')).to.equal('1');
      expect(body.type).to.equal('/docs/errors#store-unavailable');
    }
    expect((await gateway.call('GET', `/v1/channels/${channel.id}`, { key: channel.publisher_key })).status).to.equal(
      200,
    );
  });

  it('answers a fault of its own with no more than the id under which the log has it', async () => {
    parts.bend(async () => {
      throw new TypeError('secret detail');
    });
    const { status, headers, body } = await gateway.call('POST', '/v1/channels', { json: { name: 'a' } });
    expect(status).to.equal(500);
    expect(JSON.stringify(body)).not.to.match(/secret|TypeError|\.ts/);
    expect(body.detail).to.include(headers.get('x-request-id'));
  });

  it('gives way to others who change the same thing, and decides again', async () => {
    parts.straighten();
    const { id, publisher_key: key } = await gateway.newChannel();
    const path = `/v1/channels/${id}`;
    const puts = Array.from({ length: 5 }, (_, n) => gateway.call('PUT', path, { key, json: { description: `${n}` } }));
    for (const { status } of await Promise.all(puts)) expect(status).to.equal(200);
    expect(await parts.store.read(`channel-${id}`)).to.have.length(6);
  });
});
