import { EventStoreDBClient } from '@eventstore/db-client';
import { expect } from 'chai';
import { atEnd, connect, endAll, errorOf, event, newStream, startServer } from './support.ts';

interface Capabilities {
  serverVersion: string;
  supports(method: { path: string }): boolean;
}

describe('eventstore: other services', () => {
  let port: number;
  let client: EventStoreDBClient;

  before(async () => {
    ({ port } = await startServer());
    client = connect(port);
  });
  after(endAll);

  it('gossip names the node itself, under the address that the client used', async () => {
    const endpoints = [
      { address: 'localhost', port },
      { address: '127.0.0.1', port },
    ];
    const cluster = new EventStoreDBClient({ endpoints }, { insecure: true });
    atEnd(() => cluster.dispose());
    expect((await cluster.appendToStream(newStream(), event())).success).to.equal(true);
  });

  it('the version is one that has caughtUp and batch appends', async () => {
    const { serverVersion, supports } = await (client as unknown as { capabilities: Promise<Capabilities> })
      .capabilities;
    expect(serverVersion).to.match(/^23\.10\.\d+$/);
    expect(supports({ path: '/event_store.client.streams.Streams/BatchAppend' })).to.equal(true);
  });

  it('what it does not speak answers UNIMPLEMENTED, naming the method', async () => {
    const calls: [method: string, call: () => Promise<unknown>][] = [
      ['Projections/Create', () => client.createProjection('p', 'fromAll()')],
      ['PersistentSubscriptions/Delete', () => client.deletePersistentSubscriptionToStream('s', 'g')],
    ];
    for (const [method, call] of calls) {
      const error = await errorOf(call());
      expect(error.message).to.contain('UNIMPLEMENTED').and.to.contain(method);
    }
    expect((await client.appendToStream(newStream(), event())).success).to.equal(true);
  });
});
