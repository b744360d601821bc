import { type EventStoreDBClient, WrongExpectedVersionError } from '@eventstore/db-client';
import { expect } from 'chai';
import { collect, connect, endAll, errorOf, event, events, newStream, revisions, startServer } from './support.ts';

describe('eventstore: stream metadata', () => {
  let client: EventStoreDBClient;

  before(async () => {
    client = connect((await startServer()).port);
  });
  after(endAll);

  const withMetadata = async (count: number, metadata: Parameters<EventStoreDBClient['setStreamMetadata']>[1]) => {
    const stream = newStream();
    await client.appendToStream(stream, events(count));
    await client.setStreamMetadata(stream, metadata);
    return stream;
  };
  const read = async (stream: string, options = {}) => revisions(await collect(client.readStream(stream, options)));
  const backwards = { direction: 'backwards', fromRevision: 'end' };

  it('comes back as it was written, for streams that are not there too', async () => {
    const stream = newStream();
    const metadata = {
      maxAge: 2,
      maxCount: 3,
      truncateBefore: 4,
      cacheControl: 5,
      acl: {
        readRoles: ['everybody 🦊'],
        writeRoles: ['a', 'b'],
        deleteRoles: ['$admins'],
        metaReadRoles: ['c'],
        metaWriteRoles: ['d'],
      },
      custom: { deep: [1, null, 'x'] },
    };
    await client.setStreamMetadata(stream, metadata);
    const answer = await client.getStreamMetadata(stream);
    expect(answer.metadata).to.deep.equal(metadata);
    expect(answer.metastreamRevision).to.be.a('bigint');
  });

  it('is empty where none was written', async () => {
    const { metadata, metastreamRevision } = await client.getStreamMetadata(newStream());
    expect([metadata, metastreamRevision]).to.deep.equal([undefined, undefined]);
  });

  it('is replaced by the next, with a revision of its own', async () => {
    const stream = newStream();
    const first = await client.setStreamMetadata(stream, { maxCount: 1 }, { expectedRevision: 'no_stream' });
    await client.setStreamMetadata(stream, { own: 'field' }, { expectedRevision: first.nextExpectedRevision });
    expect((await client.getStreamMetadata(stream)).metadata).to.deep.equal({ own: 'field' });
    const late = client.setStreamMetadata(stream, {}, { expectedRevision: first.nextExpectedRevision });
    expect(await errorOf(late)).to.be.instanceOf(WrongExpectedVersionError);
    expect(await read(`$$${stream}`)).to.deep.equal([1]);
  });

  it('maxCount leaves the last events, also of those that come later', async () => {
    const stream = await withMetadata(20, { maxCount: 2 });
    expect(await read(stream)).to.deep.equal([18, 19]);
    expect(await read(stream, backwards)).to.deep.equal([19, 18]);
    await client.appendToStream(stream, event());
    expect(await read(stream)).to.deep.equal([19, 20]);
    await client.setStreamMetadata(stream, { maxCount: 4 });
    expect(await read(stream)).to.deep.equal([17, 18, 19, 20]);
  });

  it('truncateBefore hides what is before it; a stream emptied so is not missing', async () => {
    const stream = await withMetadata(5, { truncateBefore: 3 });
    expect(await read(stream)).to.deep.equal([3, 4]);
    expect(await read(stream, { fromRevision: 1n })).to.deep.equal([3, 4]);
    expect(await read(stream, backwards)).to.deep.equal([4, 3]);
    await client.setStreamMetadata(stream, { truncateBefore: 5 });
    expect(await read(stream)).to.deep.equal([]);
    expect(await read(stream, backwards)).to.deep.equal([]);
  });

  it('maxAge hides what is older, but never in $all', async () => {
    const stream = await withMetadata(2, { maxAge: 1 });
    expect(await read(stream)).to.deep.equal([0, 1]);
    let left = 2;
    while (left > 0) left = (await read(stream)).length;
    const { nextExpectedRevision } = await client.appendToStream(stream, event());
    expect(nextExpectedRevision).to.equal(2n);
    expect(await read(stream)).to.deep.equal([2]);
    expect(await read(stream, backwards)).to.deep.equal([2]);
    expect((await client.getStreamMetadata(stream)).metadata).to.deep.equal({ maxAge: 1 });
    const all = await collect(client.readAll());
    expect(revisions(all.filter(({ event: recorded }) => recorded?.streamId === stream))).to.deep.equal([0, 1, 2]);
  });
});
