import { randomBytes, randomUUID } from 'node:crypto';
import { binaryEvent, type EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import { CREDENTIALS, collect, connect, endAll, event, newStream, startServer } from './support.ts';

describe('eventstore: what is read is what was written', () => {
  let client: EventStoreDBClient;

  before(async () => {
    client = connect((await startServer()).port);
  });
  after(endAll);

  const roundTrip = async (written: Parameters<EventStoreDBClient['appendToStream']>[1], options = {}) => {
    const stream = newStream();
    await client.appendToStream(stream, written, options);
    const [read] = await collect(client.readStream(stream));
    if (!read?.event) throw new Error('nothing was read');
    return read.event;
  };

  for (const data of [{ a: [1, { b: null }] }, 'CC ‐ 1830 \u0018 \u0118 🚀', 12.5, true, null, [], { '': '' }]) {
    it(`JSON: ${JSON.stringify(data)}`, async () => {
      const read = await roundTrip(event(data));
      expect(read.isJson).to.equal(true);
      expect(read.data).to.deep.equal(data);
    });
  }

  it('id, type and metadata', async () => {
    const id = randomUUID();
    const metadata = { $correlationId: '42', who: { kind: 'publisher', emoji: '🦊' } };
    const read = await roundTrip(jsonEvent({ id, type: '$>odd type é', data: {}, metadata }));
    expect(read).to.include({ id, type: '$>odd type é', revision: 0n });
    expect(read.metadata).to.deep.equal(metadata);
  });

  it('no metadata', async () => {
    expect((await roundTrip(event())).metadata).to.equal(undefined);
  });

  it('binary data and metadata, empty data too', async () => {
    const data = randomBytes(3000);
    const metadata = Uint8Array.from([0xff, 0x00, 0x80]);
    for (const options of [{}, { credentials: CREDENTIALS }]) {
      const read = await roundTrip(binaryEvent({ type: 'Bytes', data, metadata }), options);
      expect(read.isJson).to.equal(false);
      expect(Buffer.from(read.data as Uint8Array)).to.deep.equal(data);
      expect(Buffer.from(read.metadata as Uint8Array)).to.deep.equal(Buffer.from(metadata));
      const empty = await roundTrip(binaryEvent({ type: 'Bytes', data: new Uint8Array(0) }), options);
      expect(empty.data).to.have.length(0);
    }
  });

  it('the time of the append, by the same clock', async () => {
    const before = Date.now();
    const { created } = await roundTrip(event());
    expect(created.getTime()).to.be.within(before, Date.now());
  });

  it('a position of its own for each event, the same in its stream and in $all', async () => {
    const stream = newStream();
    const { position } = await client.appendToStream(stream, [event(), event(), event()]);
    const inStream = (await collect(client.readStream(stream))).map((read) => read.event?.position);
    const inAll = (await collect(client.readAll()))
      .filter((read) => read.event?.streamId === stream)
      .map((read) => ({ position: read.event?.position, commit: read.commitPosition }));
    expect(inAll.map((read) => read.position)).to.deep.equal(inStream);
    expect(inAll.map((read) => read.commit)).to.deep.equal(inStream.map((each) => each?.commit));
    expect(inStream.at(-1)).to.deep.equal(position);
    expect(new Set(inStream.map((each) => each?.commit))).to.have.property('size', 3);
  });
});
