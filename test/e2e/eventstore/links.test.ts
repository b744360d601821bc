import { binaryEvent, type EventStoreDBClient, type ResolvedEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import { follow } from './follow.ts';
import { collect, connect, endAll, events, newStream, startServer } from './support.ts';

const link = (revision: number, stream: string) =>
  binaryEvent({ type: '$>', data: Buffer.from(`${revision}@${stream}`) });

describe('eventstore: links', () => {
  let client: EventStoreDBClient;
  let target: string;
  let links: string;

  before(async () => {
    client = connect((await startServer()).port);
    target = newStream('target@with-at');
    links = newStream('links');
    await client.appendToStream(target, events(3));
    await client.appendToStream(links, [link(2, target), link(0, target)]);
  });
  after(endAll);

  const readAll = async (resolveLinkTos: boolean) =>
    (await collect(client.readAll({ resolveLinkTos }))).filter(
      ({ event, link: linked }) => (linked ?? event)?.streamId === links,
    );

  it('are resolved to what a read of their stream gives, where that is asked for', async () => {
    const [zero, , two] = await collect(client.readStream(target));
    for (const read of [await collect(client.readStream(links, { resolveLinkTos: true })), await readAll(true)]) {
      expect(read.map(({ event }) => event)).to.deep.equal([two?.event, zero?.event]);
      expect(read.map(({ link: linked }) => linked?.type)).to.deep.equal(['$>', '$>']);
      expect(read.map(({ commitPosition }) => commitPosition)).to.deep.equal(
        read.map(({ link: linked }) => linked?.position?.commit),
      );
    }
  });

  it('are themselves the events otherwise', async () => {
    for (const read of [await collect(client.readStream(links)), await readAll(false)]) {
      expect(read.map(({ event }) => event?.type)).to.deep.equal(['$>', '$>']);
      expect(read.map(({ event }) => Buffer.from(event?.data as Uint8Array).toString())).to.deep.equal([
        `2@${target}`,
        `0@${target}`,
      ]);
      expect(read.every(({ link: linked }) => linked === undefined)).to.equal(true);
    }
  });

  it('are resolved in subscriptions, from history and live', async () => {
    const stream = newStream('links');
    await client.appendToStream(stream, link(1, target));
    const toStream = follow(client.subscribeToStream(stream, { resolveLinkTos: true }));
    const { position } = await client.appendToStream(newStream(), events(1));
    if (!position) throw new Error('an append has a position');
    const toAll = follow(client.subscribeToAll({ fromPosition: position, resolveLinkTos: true }));
    await Promise.all([toStream.whenCaughtUp, toAll.whenCaughtUp]);
    await client.appendToStream(stream, link(2, target));
    await Promise.all([toStream.sawCount(3), toAll.sawCount(2)]);
    expect(toStream.seen).to.deep.equal([1, 'caughtUp', 2]);
    expect(toAll.seen).to.deep.equal(['caughtUp', 2]);
    await Promise.all([toStream.subscription.unsubscribe(), toAll.subscription.unsubscribe()]);
  });

  it('to what is missing, hidden or deleted come without an event', async () => {
    const [hidden, softDeleted, tombstoned, broken] = [newStream(), newStream(), newStream(), newStream()];
    for (const stream of [hidden, softDeleted, tombstoned]) await client.appendToStream(stream, events(2));
    await client.setStreamMetadata(hidden, { truncateBefore: 1 });
    await client.deleteStream(softDeleted);
    await client.tombstoneStream(tombstoned);
    await client.appendToStream(broken, [
      link(7, target),
      link(0, 'never written'),
      link(0, hidden),
      link(1, hidden),
      link(0, softDeleted),
      link(0, tombstoned),
      binaryEvent({ type: '$>', data: Buffer.from('nonsense') }),
    ]);
    const read: ResolvedEvent[] = await collect(client.readStream(broken, { resolveLinkTos: true }));
    expect(read.map(({ event }) => event?.revision)).to.deep.equal([
      undefined,
      undefined,
      undefined,
      1n,
      undefined,
      undefined,
      undefined,
    ]);
    expect(read.every(({ link: linked }) => linked?.streamId === broken)).to.equal(true);
  });
});
