import {
  BACKWARDS,
  END,
  type EventStoreDBClient,
  FORWARDS,
  NO_STREAM,
  START,
  StreamDeletedError,
  StreamNotFoundError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, connect, endAll, errorOf, event, events, newStream, revisions, startServer } from './support.ts';

describe('eventstore: reads', () => {
  let client: EventStoreDBClient;

  before(async () => {
    client = connect((await startServer()).port);
  });
  after(endAll);

  it('$all of a fresh database begins with an event of a $ stream', async () => {
    const fresh = connect((await startServer()).port);
    const [first] = await collect(fresh.readAll({ maxCount: 1 }));
    expect(first?.event?.streamId).to.match(/^\$/);
    expect(first?.event?.position?.commit).to.not.equal(0n);
  });

  describe('of a stream', () => {
    let stream: string;

    before(async () => {
      stream = newStream();
      await client.appendToStream(stream, events(5));
    });

    const read = async (options: Parameters<EventStoreDBClient['readStream']>[1]) =>
      revisions(await collect(client.readStream(stream, options)));

    it('go forwards from a revision, inclusive', async () => {
      expect(await read({})).to.deep.equal([0, 1, 2, 3, 4]);
      expect(await read({ direction: FORWARDS, fromRevision: 3n })).to.deep.equal([3, 4]);
      expect(await read({ fromRevision: 1n, maxCount: 2 })).to.deep.equal([1, 2]);
    });

    it('go backwards from a revision, inclusive, or from the end', async () => {
      const direction = BACKWARDS;
      expect(await read({ direction, fromRevision: END })).to.deep.equal([4, 3, 2, 1, 0]);
      expect(await read({ direction, fromRevision: 1n })).to.deep.equal([1, 0]);
      expect(await read({ direction, fromRevision: END, maxCount: 1 })).to.deep.equal([4]);
      expect(await read({ direction, fromRevision: START })).to.deep.equal([0]);
      expect(await read({ direction, fromRevision: 100n })).to.deep.equal([4, 3, 2, 1, 0]);
      expect(await read({ direction, fromRevision: 2n ** 64n - 1n })).to.deep.equal([4, 3, 2, 1, 0]);
    });

    it('find nothing beyond the end', async () => {
      expect(await read({ fromRevision: END })).to.deep.equal([]);
      expect(await read({ fromRevision: 5n })).to.deep.equal([]);
      expect(await read({ fromRevision: 2n ** 64n - 1n })).to.deep.equal([]);
    });

    it('fail for one that is missing, naming it', async () => {
      const error = await errorOf(collect(client.readStream('missing ☃')));
      expect(error).to.be.instanceOf(StreamNotFoundError);
      expect(error.streamName).to.equal('missing ☃');
    });

    it('fail for a tombstoned one', async () => {
      const gone = newStream();
      await client.tombstoneStream(gone, { expectedRevision: NO_STREAM });
      const error = await errorOf(collect(client.readStream(gone)));
      expect(error).to.be.instanceOf(StreamDeletedError);
      expect(error.streamName).to.equal(gone);
    });
  });

  describe('of $all', () => {
    const namesOf = (read: Awaited<ReturnType<typeof readAll>>) =>
      read.map(({ event: recorded }) => recorded?.streamId);
    const readAll = (options: Parameters<EventStoreDBClient['readAll']>[0]) => collect(client.readAll(options));

    it('hold every event of every stream, system streams too, in the order of their commits', async () => {
      const stream = newStream();
      await client.appendToStream(stream, event());
      await client.setStreamMetadata(stream, { maxCount: 5 });
      await client.appendToStream(stream, event());
      const all = await readAll({});
      expect(namesOf(all).slice(-3)).to.deep.equal([stream, `$$${stream}`, stream]);
      const positions = all.map(({ event: recorded }) => recorded?.position?.commit ?? 0n);
      expect(positions).to.deep.equal([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
    });

    it('go forwards from a position inclusive, backwards from it exclusive', async () => {
      const [before, at, after] = [newStream(), newStream(), newStream()];
      await client.appendToStream(before, event());
      const { position } = await client.appendToStream(at, event());
      await client.appendToStream(after, event());
      if (!position) throw new Error('an append has a position');
      expect(namesOf(await readAll({ fromPosition: position, maxCount: 5 }))).to.deep.equal([at, after]);
      const direction = BACKWARDS;
      expect(namesOf(await readAll({ direction, fromPosition: position, maxCount: 1 }))).to.deep.equal([before]);
      expect(namesOf(await readAll({ direction, fromPosition: END, maxCount: 2 }))).to.deep.equal([after, at]);
    });

    it('read everything backwards as forwards', async () => {
      const forwards = await readAll({});
      const backwards = await readAll({ direction: BACKWARDS, fromPosition: END });
      expect(backwards.reverse()).to.deep.equal(forwards);
      expect(await readAll({ direction: BACKWARDS, fromPosition: START })).to.deep.equal([]);
      expect(await readAll({ fromPosition: END })).to.deep.equal([]);
    });
  });

  describe('of much', () => {
    const COUNT = 5_000;
    let stream: string;

    before(async () => {
      stream = newStream('long');
      await client.appendToStream(stream, events(COUNT));
      await client.appendToStream(newStream(), event());
    });

    const expected = Array.from({ length: COUNT }, (_, n) => n);

    it('come whole and in order over many pages', async () => {
      expect(revisions(await collect(client.readStream(stream)))).to.deep.equal(expected);
      const backwards = client.readStream(stream, { direction: BACKWARDS, fromRevision: END });
      expect(revisions(await collect(backwards)).reverse()).to.deep.equal(expected);
      const inAll = await collect(client.readAll());
      expect(revisions(inAll.filter(({ event: recorded }) => recorded?.streamId === stream))).to.deep.equal(expected);
    });

    it('stop at the count, wherever in a page it lies', async () => {
      for (const maxCount of [1, 255, 256, 257, 4_999, 6_000]) {
        const read = await collect(client.readStream(stream, { maxCount }));
        expect(revisions(read)).to.deep.equal(expected.slice(0, maxCount));
      }
    });

    it('can be left after a few events, again and again', async () => {
      for (let round = 0; round < 20; round++) {
        let seen = 0;
        for await (const _ of client.readAll()) if (++seen === 3) break;
        expect(seen).to.equal(3);
      }
    });

    it('do not hold up appends', async () => {
      const other = newStream();
      const readers = Array.from({ length: 4 }, () => collect(client.readAll()));
      const appended = await Promise.all(Array.from({ length: 20 }, () => client.appendToStream(other, event())));
      expect(appended.at(-1)?.nextExpectedRevision).to.equal(19n);
      for (const all of await Promise.all(readers)) expect(all.length).to.be.greaterThan(COUNT);
    });
  });

  it('bring events of a MiB one after the other', async () => {
    const stream = newStream('large');
    const data = { payload: 'x'.repeat(1_000_000) };
    for (let n = 0; n < 8; n++) await client.appendToStream(stream, event(data));
    const read = await collect(client.readStream(stream));
    expect(revisions(read)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(read.at(-1)?.event?.data).to.deep.equal(data);
  });
});
