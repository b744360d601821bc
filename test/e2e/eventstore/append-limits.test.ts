import {
  DeadlineExceededError,
  type EventStoreDBClient,
  MaxAppendSizeExceededError,
  RequiredMetadataPropertyMissingError,
  StreamNotFoundError,
  UnknownError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { CREDENTIALS, collect, connect, endAll, errorOf, event, events, newStream, startServer } from './support.ts';

const MIB = 1024 * 1024;

/** 32 bytes of data each. */
const small = (count: number) =>
  Array.from({ length: count }, (_, n) => event({ n: 1_000_000 + n, is: 'a small one' }));

describe('eventstore: limits of an append', () => {
  let client: EventStoreDBClient;

  before(async () => {
    client = connect((await startServer()).port);
  });
  after(endAll);

  it('counts the data alone against 1 MiB', async () => {
    expect(JSON.stringify(small(1)[0]?.data)).to.have.length(32);
    const stream = newStream();
    const fits = await client.appendToStream(stream, small(MIB / 32));
    expect(fits.nextExpectedRevision).to.equal(BigInt(MIB / 32 - 1));
    const error = await errorOf(client.appendToStream(stream, small(MIB / 32 + 1)));
    expect(error).to.be.instanceOf(MaxAppendSizeExceededError);
    expect(error.maxAppendSize).to.equal(MIB);
    const after = await client.appendToStream(stream, event());
    expect(after.nextExpectedRevision).to.equal(BigInt(MIB / 32));
  });

  it('counts the same by the older route', async () => {
    const options = { credentials: CREDENTIALS };
    const halves = [event({ data: 'x'.repeat(MIB / 2 - 11) }), event({ data: 'y'.repeat(MIB / 2 - 11) })];
    const fits = await client.appendToStream(newStream(), halves, options);
    expect(fits.nextExpectedRevision).to.equal(1n);
    const error = await errorOf(client.appendToStream(newStream(), [...halves, event(1)], options));
    expect(error).to.be.instanceOf(MaxAppendSizeExceededError);
    expect(error.maxAppendSize).to.equal(MIB);
  });

  it('takes messages far above 4 MiB where the setting allows such appends', async () => {
    const roomy = connect((await startServer(16 * MIB)).port);
    const data = 'x'.repeat(10 * MIB);
    for (const options of [{}, { credentials: CREDENTIALS }]) {
      const stream = newStream();
      await roomy.appendToStream(stream, event({ data }), options);
      const [read] = await collect(roomy.readStream(stream));
      expect(read?.event?.data).to.deep.equal({ data });
    }
  });

  it('puts an append back together that came in many messages between those of others', async () => {
    const names = Array.from({ length: 5 }, () => newStream());
    const appends = names.map((name) => client.appendToStream(name, events(200), { batchAppendSize: 500 }));
    const answers = await Promise.all(appends);
    for (const answer of answers) expect(answer.nextExpectedRevision).to.equal(199n);
    for (const name of names) {
      const read = await collect(client.readStream(name));
      expect(read.map(({ event: recorded }) => recorded?.data)).to.deep.equal(events(200).map(({ data }) => data));
    }
  });

  for (const [route, options] of Object.entries({ BatchAppend: {}, Append: { credentials: CREDENTIALS } })) {
    it(`answers once, with DeadlineExceeded, when the deadline passes before the last message of ${route}`, async () => {
      const stream = newStream();
      const error = await errorOf(client.appendToStream(stream, small(30_000), { deadline: 1, ...options }));
      expect(error).to.be.instanceOf(DeadlineExceededError);
      // A second answer would break the client here, and a late write would show.
      const next = await client.appendToStream(newStream(), event());
      expect(next.success).to.equal(true);
      expect(await errorOf(collect(client.readStream(stream)))).to.be.instanceOf(StreamNotFoundError);
    });
  }

  it('takes a deadline of a year', async () => {
    const options = { deadline: Number.MAX_SAFE_INTEGER };
    await client.appendToStream(newStream(), event(), options);
    const answer = await client.appendToStream(newStream(), event(), { ...options, credentials: CREDENTIALS });
    expect(answer.success).to.equal(true);
  });

  it('refuses an event without a type', async () => {
    const batch = await errorOf(client.appendToStream(newStream(), event({}, '')));
    expect(batch).to.be.instanceOf(UnknownError);
    const single = await errorOf(client.appendToStream(newStream(), event({}, ''), { credentials: CREDENTIALS }));
    expect(single).to.be.instanceOf(RequiredMetadataPropertyMissingError);
    expect(single.requiredMetadataProperties).to.include('type');
  });

  it('refuses an event whose id is no UUID, and goes on', async () => {
    const stream = newStream();
    for (const options of [{}, { credentials: CREDENTIALS }]) {
      const error = await errorOf(client.appendToStream(stream, event({}, 'Happened', 'not-a-uuid'), options));
      expect(error).to.be.instanceOf(UnknownError);
    }
    const next = await client.appendToStream(stream, event());
    expect(next.nextExpectedRevision).to.equal(0n);
  });
});
