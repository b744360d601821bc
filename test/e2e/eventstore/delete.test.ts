import {
  ANY,
  type EventStoreDBClient,
  NO_STREAM,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import {
  CREDENTIALS,
  collect,
  connect,
  endAll,
  errorOf,
  event,
  events,
  newStream,
  revisions,
  startServer,
} from './support.ts';

describe('eventstore: deletion', () => {
  let client: EventStoreDBClient;

  before(async () => {
    client = connect((await startServer()).port);
  });
  after(endAll);

  const withEvents = async (count: number) => {
    const stream = newStream();
    await client.appendToStream(stream, events(count));
    return stream;
  };
  const read = async (stream: string) => revisions(await collect(client.readStream(stream)));
  const lastOfAll = async () => {
    const [last] = await collect(client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 1 }));
    return last?.event;
  };

  describe('soft', () => {
    it('makes the stream read as not found, and keeps its events in $all', async () => {
      const stream = await withEvents(3);
      const { position } = await client.deleteStream(stream);
      expect(await errorOf(read(stream))).to.be.instanceOf(StreamNotFoundError);
      expect((await lastOfAll())?.position).to.deep.equal(position);
      const all = await collect(client.readAll());
      expect(all.filter(({ event: recorded }) => recorded?.streamId === stream)).to.have.length(3);
    });

    it('takes any, the exact revision, and a second time', async () => {
      const stream = await withEvents(2);
      await client.deleteStream(stream, { expectedRevision: 1n });
      await client.deleteStream(stream, { expectedRevision: ANY });
      expect(await errorOf(read(stream))).to.be.instanceOf(StreamNotFoundError);
    });

    it('refuses a wrong revision with what is there', async () => {
      const stream = await withEvents(2);
      for (const [expectedRevision, expectedVersion] of [
        [0n, 0n],
        [5n, 5n],
        [NO_STREAM, -1n],
      ] as const) {
        const error = await errorOf(client.deleteStream(stream, { expectedRevision }));
        expect(error).to.be.instanceOf(WrongExpectedVersionError);
        expect(error).to.include({ streamName: stream, actualVersion: 1n, expectedVersion });
      }
      expect(await read(stream)).to.deep.equal([0, 1]);
    });

    it('refuses any for a stream that never was, but not when it has metadata', async () => {
      const error = await errorOf(client.deleteStream(newStream(), { expectedRevision: ANY }));
      expect(error).to.be.instanceOf(WrongExpectedVersionError);
      expect(error.actualVersion).to.equal('no_stream');
      const stream = newStream();
      await client.setStreamMetadata(stream, { maxCount: 2 });
      await client.deleteStream(stream, { expectedRevision: NO_STREAM });
    });

    for (const expectedRevision of [ANY, NO_STREAM, 2n] as const) {
      it(`lets the stream begin again with ${expectedRevision}: revisions go on, old events stay hidden`, async () => {
        const stream = await withEvents(3);
        await client.deleteStream(stream);
        const appended = await client.appendToStream(stream, events(2), { expectedRevision });
        expect(appended.nextExpectedRevision).to.equal(4n);
        expect(await read(stream)).to.deep.equal([3, 4]);
        const backwards = client.readStream(stream, { direction: 'backwards', fromRevision: 'end' });
        expect(revisions(await collect(backwards))).to.deep.equal([4, 3]);
        expect((await client.getStreamMetadata(stream)).metadata).to.deep.equal({ truncateBefore: 3 });
      });
    }

    it('refuses an append that wants the stream to exist', async () => {
      const stream = await withEvents(1);
      await client.deleteStream(stream);
      for (const options of [{}, { credentials: CREDENTIALS }]) {
        const append = client.appendToStream(stream, event(), { ...options, expectedRevision: STREAM_EXISTS });
        expect(await errorOf(append)).to.be.instanceOf(StreamDeletedError);
      }
    });

    it('is undone by new metadata, without the old events', async () => {
      const stream = await withEvents(3);
      await client.deleteStream(stream);
      await client.setStreamMetadata(stream, { maxCount: 10, colour: 'green' });
      expect(await read(stream)).to.deep.equal([]);
      expect((await client.getStreamMetadata(stream)).metadata).to.deep.equal({
        maxCount: 10,
        colour: 'green',
        truncateBefore: 3,
      });
      await client.appendToStream(stream, event());
      expect(await read(stream)).to.deep.equal([3]);
    });
  });

  describe('hard', () => {
    it('ends the stream for good: reads, appends, deletions, metadata', async () => {
      const stream = await withEvents(2);
      const { position } = await client.tombstoneStream(stream);
      const attempts = [
        () => read(stream),
        () => client.appendToStream(stream, event()),
        () => client.deleteStream(stream),
        () => client.tombstoneStream(stream),
        () => client.setStreamMetadata(stream, { maxCount: 1 }),
        () => client.getStreamMetadata(stream),
      ];
      for (const attempt of attempts) expect(await errorOf(attempt())).to.be.instanceOf(StreamDeletedError);
      const last = await lastOfAll();
      expect(last).to.include({ streamId: stream, type: '$streamDeleted', revision: 2n ** 63n - 1n });
      expect(last?.position).to.deep.equal(position);
    });

    it('takes each expected revision that fits', async () => {
      await client.tombstoneStream(await withEvents(2), { expectedRevision: 1n });
      await client.tombstoneStream(await withEvents(2), { expectedRevision: ANY });
      const never = newStream();
      await client.tombstoneStream(never, { expectedRevision: NO_STREAM });
      expect(await errorOf(client.appendToStream(never, event()))).to.be.instanceOf(StreamDeletedError);
    });

    it('refuses one that does not', async () => {
      const stream = await withEvents(2);
      for (const expectedRevision of [0n, NO_STREAM] as const) {
        const error = await errorOf(client.tombstoneStream(stream, { expectedRevision }));
        expect(error).to.be.instanceOf(WrongExpectedVersionError);
        expect(error.actualVersion).to.equal(1n);
      }
      expect(await read(stream)).to.deep.equal([0, 1]);
    });

    it('ends a soft-deleted stream too', async () => {
      const stream = await withEvents(1);
      await client.deleteStream(stream);
      await client.tombstoneStream(stream);
      expect(await errorOf(read(stream))).to.be.instanceOf(StreamDeletedError);
    });
  });
});
