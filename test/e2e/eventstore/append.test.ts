import {
  ANY,
  BACKWARDS,
  END,
  type EventStoreDBClient,
  NO_STREAM,
  STREAM_EXISTS,
  StreamDeletedError,
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

/** The client takes BatchAppend, but Append for calls with credentials: both must keep the same rules. */
const ROUTES = { BatchAppend: {}, Append: { credentials: CREDENTIALS } };

describe('eventstore: appends', () => {
  let client: EventStoreDBClient;
  let tolerant: EventStoreDBClient;

  before(async () => {
    const { port } = await startServer();
    client = connect(port);
    tolerant = connect(port, '&throwOnAppendFailure=false');
  });
  after(endAll);

  for (const [route, options] of Object.entries(ROUTES)) {
    describe(`by ${route}`, () => {
      it('answers with the revision and position of the last event', async () => {
        const stream = newStream();
        const first = await client.appendToStream(stream, events(3), options);
        const second = await client.appendToStream(stream, event(), options);
        expect(first.success).to.equal(true);
        expect([first.nextExpectedRevision, second.nextExpectedRevision]).to.deep.equal([2n, 3n]);
        const [last] = await collect(
          client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 }),
        );
        expect(second.position).to.deep.equal(last?.event?.position);
      });

      it('takes each kind of expected revision where it fits', async () => {
        const stream = newStream();
        const append = (expectedRevision: Parameters<typeof expectOf>[0]) =>
          client.appendToStream(stream, event(), { ...options, ...expectOf(expectedRevision) });
        await append(NO_STREAM);
        await append(0n);
        await append(STREAM_EXISTS);
        const last = await append(ANY);
        expect(last.nextExpectedRevision).to.equal(3n);
      });

      it('refuses an expected revision that does not fit, and says what is there', async () => {
        const stream = newStream();
        await client.appendToStream(stream, events(2), options);
        for (const expectedRevision of [NO_STREAM, 0n, 2n] as const) {
          const error = await errorOf(client.appendToStream(stream, event(), { ...options, expectedRevision }));
          expect(error).to.be.instanceOf(WrongExpectedVersionError);
          expect(error).to.include({ streamName: stream, actualVersion: 1n, expectedVersion: expectedRevision });
        }
        expect(revisions(await collect(client.readStream(stream)))).to.deep.equal([0, 1]);
      });

      it('refuses a revision of a stream that is not there', async () => {
        for (const expectedRevision of [STREAM_EXISTS, 0n] as const) {
          const error = await errorOf(client.appendToStream(newStream(), event(), { ...options, expectedRevision }));
          expect(error).to.be.instanceOf(WrongExpectedVersionError);
          expect(error).to.include({ actualVersion: 'no_stream', expectedVersion: expectedRevision });
        }
      });

      it('counts a stream of which only the metadata was written as existing', async () => {
        const stream = newStream();
        await client.setStreamMetadata(stream, { maxCount: 10 });
        const appended = await client.appendToStream(stream, event(), { ...options, expectedRevision: STREAM_EXISTS });
        expect(appended.nextExpectedRevision).to.equal(0n);
      });

      it('can report a refusal instead of throwing it', async () => {
        const stream = newStream();
        await client.appendToStream(stream, events(2), options);
        const refused = await tolerant.appendToStream(stream, event(), { ...options, expectedRevision: NO_STREAM });
        expect(refused.success).to.equal(false);
        expect(refused.nextExpectedRevision).to.equal(1n);
      });

      it('refuses a tombstoned stream whatever is expected', async () => {
        const stream = newStream();
        await client.appendToStream(stream, event(), options);
        await client.tombstoneStream(stream);
        for (const expectedRevision of [ANY, NO_STREAM, STREAM_EXISTS, 0n] as const) {
          const error = await errorOf(client.appendToStream(stream, event(), { ...options, expectedRevision }));
          expect(error).to.be.instanceOf(StreamDeletedError);
          expect(error.streamName).to.equal(stream);
        }
      });

      it('takes an append of no events, which changes nothing', async () => {
        const stream = newStream();
        const toNothing = await client.appendToStream(stream, [], options);
        expect(toNothing).to.include({ success: true, nextExpectedRevision: 0n, position: undefined });
        await client.appendToStream(stream, events(4), options);
        const toSomething = await client.appendToStream(stream, [], { ...options, expectedRevision: 3n });
        expect(toSomething).to.include({ success: true, nextExpectedRevision: 3n });
        expect(await collect(client.readStream(stream))).to.have.length(4);
      });

      it('lets exactly one of many writers with the same expected revision win', async () => {
        const stream = newStream();
        await client.appendToStream(stream, event());
        const attempts = Array.from({ length: 20 }, (_, writer) =>
          client.appendToStream(stream, event({ writer }), { ...options, expectedRevision: 0n }),
        );
        const outcomes = await Promise.allSettled(attempts);
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
        expect(revisions(await collect(client.readStream(stream)))).to.deep.equal([0, 1]);
      });
    });
  }

  it('keeps the events of one append together in $all, in order, among other writers', async () => {
    const names = Array.from({ length: 8 }, () => newStream('together'));
    await Promise.all(names.map((name) => client.appendToStream(name, events(50))));
    const order = (await collect(client.readAll()))
      .map(({ event: recorded }) => recorded?.streamId ?? '')
      .filter((name) => names.includes(name));
    const runs = order.filter((name, index) => name !== order[index - 1]);
    expect(runs).to.have.members(names);
    expect(order).to.have.length(400);
  });

  it('takes 10,000 appends of 1 KiB issued in one tick', async () => {
    const stream = newStream();
    const payload = 'x'.repeat(1024);
    // The last of them may have to wait for longer than the client's own ten seconds.
    const options = { deadline: 120_000 };
    const appends = Array.from({ length: 10_000 }, (_, n) =>
      client.appendToStream(stream, event({ n, payload }), options),
    );
    const answers = await Promise.all(appends);
    expect(answers.map(({ nextExpectedRevision }) => Number(nextExpectedRevision))).to.deep.equal(
      Array.from({ length: 10_000 }, (_, n) => n),
    );
  }).timeout(120_000);

  it('keeps streams with odd names apart', async () => {
    const names = ['', ' ', '☃ ünï/→', '$system', 'a'.repeat(5_000), 'line\nbreak', "quote'"].map((name) =>
      newStream(name),
    );
    for (const name of names) await client.appendToStream(name, event({ name }));
    for (const name of names) {
      const [read] = await collect(client.readStream(name));
      expect(read?.event?.streamId).to.equal(name);
      expect(read?.event?.data).to.deep.equal({ name });
    }
  });

  it('names a stream that is not ASCII in its errors', async () => {
    const stream = newStream('☃');
    await client.tombstoneStream(stream, { expectedRevision: NO_STREAM });
    const error = await errorOf(client.appendToStream(stream, event(), { credentials: CREDENTIALS }));
    expect(error).to.be.instanceOf(StreamDeletedError);
    expect(decodeURIComponent(error.streamName)).to.equal(stream);
  });
});

const expectOf = (expectedRevision: typeof ANY | typeof NO_STREAM | typeof STREAM_EXISTS | bigint) => ({
  expectedRevision,
});
