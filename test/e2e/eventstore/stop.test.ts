import { once } from 'node:events';
import { CancelledError, EventStoreDBClient, UnavailableError } from '@eventstore/db-client';
import { expect } from 'chai';
import {
  CREDENTIALS,
  connect,
  endAll,
  errorOf,
  event,
  events,
  newStream,
  spawnServer,
  temporaryDirectory,
} from './support.ts';

/** An append that goes on sending events until it is told to stop, so that it is running when the server is not any more. */
function endlessEvents() {
  let stopped = false;
  const endless = Object.assign(events(0), {
    *[Symbol.iterator]() {
      while (!stopped) yield event();
    },
  });
  return { endless, stop: () => (stopped = true) };
}

describe('eventstore: SIGTERM', () => {
  let server: Awaited<ReturnType<typeof spawnServer>>;

  beforeEach(async () => {
    server = await spawnServer(temporaryDirectory());
  });
  afterEach(endAll);

  it('cancels subscriptions and reads, then the port is closed and the process gone', async () => {
    const client = connect(server.port);
    const stream = newStream();
    for (let n = 0; n < 20; n++) await client.appendToStream(stream, event({ payload: 'x'.repeat(100_000) }));
    const live = client.subscribeToAll();
    live.on('data', () => {});
    const stuckRead = client.readStream(stream);
    await Promise.all([once(live, 'caughtUp'), once(stuckRead, 'readable')]);
    const ended = Promise.all([once(live, 'error'), once(stuckRead, 'error')]);
    stuckRead.on('error', () => {}).on('data', () => {});

    const askedAt = performance.now();
    server.child.kill('SIGTERM');
    for (const [error] of await ended) expect(error).to.be.instanceOf(CancelledError);
    const [code] = await server.exited;
    expect(code).to.equal(0);
    expect(performance.now() - askedAt).to.be.lessThan(5_000);
    const late = new EventStoreDBClient({ endpoint: { address: '127.0.0.1', port: server.port } }, { insecure: true });
    expect(await errorOf(late.deleteStream(stream))).to.be.instanceOf(UnavailableError);
  });

  it('answers a running Append with UNAVAILABLE', async () => {
    const client = connect(server.port);
    const { endless, stop } = endlessEvents();
    const appending = errorOf(client.appendToStream(newStream(), endless, { credentials: CREDENTIALS }));
    for (let n = 0; n < 5; n++) await client.appendToStream(newStream(), event());
    server.child.kill('SIGTERM');
    const error = await appending;
    stop();
    expect(error).to.be.instanceOf(UnavailableError);
    expect((await server.exited)[0]).to.equal(0);
  });

  it('does not wait for a client that reads nothing', async () => {
    const client = connect(server.port);
    const stream = newStream();
    for (let n = 0; n < 20; n++) await client.appendToStream(stream, event({ payload: 'x'.repeat(100_000) }));
    const stalled = client.subscribeToStream(stream);
    stalled.on('error', () => {});
    await once(stalled, 'readable');
    server.child.kill('SIGTERM');
    expect((await server.exited)[0]).to.equal(0);
  });
});
