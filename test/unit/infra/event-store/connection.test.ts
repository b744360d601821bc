import { once } from 'node:events';
import { createServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { openClient, withAllHosts } from '../../../../infra/event-store/connection.ts';
import { SettingError } from '../../../../infra/settings.ts';

describe('the event store connection string', () => {
  for (const [given, taken] of [
    ['esdb+discover://a:2113,b:2113?tls=true', 'esdb://a:2113,b:2113?tls=true'],
    ['esdb+discover://user:pass,word@a,b', 'esdb://user:pass,word@a,b'],
    ['esdb+discover://a,b/?tls=false', 'esdb://a,b/?tls=false'],
  ] as const) {
    it(`${given} asks all its hosts`, () => expect(withAllHosts(given)).to.equal(taken));
  }

  for (const url of [
    'esdb+discover://cluster.example:2113?tls=true',
    'esdb+discover://user:pass,word@cluster.example',
    'esdb+discover://cluster.example?connectionName=a,b',
    'esdb://a,b?tls=false',
    'esdb://a',
  ]) {
    it(`${url} stays as it is`, () => expect(withAllHosts(url)).to.equal(url));
  }

  it('that cannot be read is refused without being shown', () => {
    for (const url of ['esdb://admin:hunter2@', 'esdb://admin:hunter2@a:port', 'esdb://admin:hunter2@a?tls=maybe']) {
      expect(() => openClient(url), url)
        .to.throw(SettingError, /^setting EVENTSTORE_URL must be an EventStoreDB connection string$/)
        .that.does.not.have.property('connectionString');
    }
  });

  it('makes connections on which the store may send 4 MiB ahead of what was read', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = openClient(`esdb://127.0.0.1:${(server.address() as AddressInfo).port}?tls=false`);
    const connecting = once(server, 'session') as Promise<[ServerHttp2Session]>;
    const reading = client.getStreamMetadata('any').catch(() => {});
    const [session] = await connecting;
    const [settings] = await once(session, 'remoteSettings');
    expect(settings.initialWindowSize).to.equal(4 * 1_024 * 1_024);
    session.destroy();
    await client.dispose();
    await reading;
    server.close();
  });
});
