import { randomUUID } from 'node:crypto';
import {
  ANY,
  type EventStoreDBClient,
  NO_STREAM,
  STREAM_EXISTS,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { CREDENTIALS, collect, connect, endAll, errorOf, event, events, newStream, startServer } from './support.ts';

describe('eventstore: repeated appends', () => {
  let client: EventStoreDBClient;

  before(async () => {
    client = connect((await startServer()).port);
  });
  after(endAll);

  for (const expectedRevision of [ANY, STREAM_EXISTS, NO_STREAM, 0n] as const) {
    it(`are recognised with expected revision ${expectedRevision}`, async () => {
      const stream = newStream();
      if (expectedRevision !== NO_STREAM) await client.appendToStream(stream, event());
      const batch = events(3);
      const first = await client.appendToStream(stream, batch, { expectedRevision });
      await client.appendToStream(stream, events(2));
      const length = (await collect(client.readStream(stream))).length;
      const again = await client.appendToStream(stream, batch, { expectedRevision });
      const byTheOtherRoute = await client.appendToStream(stream, batch, {
        expectedRevision,
        credentials: CREDENTIALS,
      });
      expect(again).to.deep.equal(first);
      expect(byTheOtherRoute).to.deep.equal(first);
      expect(await collect(client.readStream(stream))).to.have.length(length);
    });
  }

  it('are recognised when they arrive together', async () => {
    const stream = newStream();
    const once = event();
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.appendToStream(stream, once)));
    expect(new Set(answers.map(({ position }) => position?.commit))).to.have.property('size', 1);
    expect(await collect(client.readStream(stream))).to.have.length(1);
  });

  it('are recognised whatever the case of the ids', async () => {
    const stream = newStream();
    const id = randomUUID();
    await client.appendToStream(stream, event({}, 'Happened', id));
    await client.appendToStream(stream, event({}, 'Happened', id.toUpperCase()));
    expect(await collect(client.readStream(stream))).to.have.length(1);
  });

  it('are refused when only some of the events are known', async () => {
    const stream = newStream();
    const [known] = events(1);
    if (!known) throw new Error('unreachable');
    await client.appendToStream(stream, [known, event()]);
    for (const expectedRevision of [ANY, NO_STREAM] as const) {
      const error = await errorOf(client.appendToStream(stream, [known, event()], { expectedRevision }));
      expect(error).to.be.instanceOf(WrongExpectedVersionError);
    }
    expect(await collect(client.readStream(stream))).to.have.length(2);
  });

  it('are new appends in another stream', async () => {
    const [one, other] = [newStream(), newStream()];
    const same = event();
    await client.appendToStream(one, same);
    const answer = await client.appendToStream(other, same);
    expect(answer.nextExpectedRevision).to.equal(0n);
    expect(await collect(client.readStream(other))).to.have.length(1);
  });
});
