import { expect } from 'chai';
import { pino } from 'pino';
import { type Child, createChild } from '../../../infra/local/child.ts';
import { createPort, freePort } from '../../../infra/local/free-port.ts';
import { natsServer } from '../../../infra/local/nats-server.ts';
import { connectQueue, type Queue } from '../../../infra/queue/client.ts';
import { startProxy, type Proxy as TcpProxy } from '../../chaos/proxy.ts';
import { newDataDir } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

/** The promise: a connection to the broker that hangs half-open, as where a cable is pulled, is given up for another one, and keeps nobody from stopping. */
describe('a connection to the broker that hangs', function () {
  this.timeout(60_000);
  const MESSAGE = { event_id: 1, webhook_id: 2, position: 3 };
  let server: Child;
  let proxy: TcpProxy;
  let queue: Queue;

  before(async () => {
    const port = createPort(() => freePort('127.0.0.1'));
    server = createChild(natsServer(newDataDir(), port), { say: () => {}, changed: () => {} });
    await server.start();
    proxy = await startProxy(() => port.current());
  });
  after(async () => {
    await proxy?.close();
    await server?.stop(5_000);
  });
  beforeEach(async () => {
    proxy.set('pass');
    const options = { ackWaitMs: 10_000, log: pino({ level: 'silent' }) };
    queue = await connectQueue(`nats://127.0.0.1:${proxy.port}`, options);
    await queue.ensure();
  });
  afterEach(() => queue.close());

  it('is given up for another one', async () => {
    proxy.set('freeze');
    await waitFor('a lost connection', () => !queue.isConnected());
    proxy.set('pass');
    await waitFor('another one', queue.isConnected);
    expect(await queue.publish(MESSAGE, 'one')).to.equal(1);
  });

  it('can be closed', async () => {
    proxy.set('freeze');
    await queue.close();
    expect(queue.isConnected()).to.equal(false);
  });
});
