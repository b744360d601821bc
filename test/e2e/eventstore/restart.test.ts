import { once } from 'node:events';
import {
  type AppendResult,
  type EventStoreDBClient,
  START,
  StreamDeletedError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { expect } from 'chai';
import { follow } from './follow.ts';
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
  spawnServer,
  temporaryDirectory,
} from './support.ts';

interface Acknowledged {
  readonly stream: string;
  readonly id: string;
  readonly answer: AppendResult;
}

/** Appends one event after the other until the server is gone; notes what was acknowledged. */
async function appendUntilGone(client: EventStoreDBClient, stream: string, options: object, noted: Acknowledged[]) {
  for (;;) {
    const [one] = events(1);
    if (!one) return;
    try {
      noted.push({ stream, id: one.id, answer: await client.appendToStream(stream, one, options) });
    } catch {
      return;
    }
  }
}

describe('eventstore: what was acknowledged is there after kill -9', () => {
  afterEach(endAll);

  it('of many writers by both routes, at the same revisions and positions', async () => {
    const dataDir = temporaryDirectory();
    const acknowledged: Acknowledged[] = [];
    for (let round = 0; round < 3; round++) {
      const { child, port, exited } = await spawnServer(dataDir);
      const client = connect(port);
      const writers = Array.from({ length: 24 }, (_, n) =>
        appendUntilGone(client, newStream(), n % 3 === 0 ? { credentials: CREDENTIALS } : {}, acknowledged),
      );
      const enough = 200 * (round + 1);
      while (acknowledged.length < enough) await new Promise(setImmediate);
      child.kill('SIGKILL');
      await exited;
      await Promise.all(writers);
      await client.dispose();
    }
    const { port } = await spawnServer(dataDir);
    const stored = new Map<string, [stream: string, revision: bigint, commit: bigint | undefined]>();
    for await (const { event: recorded } of connect(port).readAll()) {
      if (recorded) stored.set(recorded.id, [recorded.streamId, recorded.revision, recorded.position?.commit]);
    }
    expect(acknowledged.length).to.be.at.least(600);
    for (const { id, stream, answer } of acknowledged) {
      expect(stored.get(id)).to.deep.equal([stream, answer.nextExpectedRevision, answer.position?.commit]);
    }
  });

  it('with deletions, metadata, repeated appends and places to go on from', async () => {
    const dataDir = temporaryDirectory();
    const first = await spawnServer(dataDir);
    const client = connect(first.port);
    const [kept, gone] = [newStream(), newStream()];
    const answer = await client.appendToStream(kept, events(3));
    const repeated = events(2);
    const second = await client.appendToStream(kept, repeated, { expectedRevision: 2n });
    await client.setStreamMetadata(kept, { truncateBefore: 1 });
    await client.tombstoneStream(gone, { expectedRevision: 'no_stream' });
    first.child.kill('SIGKILL');
    await first.exited;

    const again = connect((await spawnServer(dataDir)).port);
    expect(revisions(await collect(again.readStream(kept)))).to.deep.equal([1, 2, 3, 4]);
    expect(await errorOf(again.appendToStream(gone, event()))).to.be.instanceOf(StreamDeletedError);
    expect(await again.appendToStream(kept, repeated, { expectedRevision: 2n })).to.deep.equal(second);
    const late = again.appendToStream(kept, event(), { expectedRevision: 3n });
    expect(await errorOf(late)).to.be.instanceOf(WrongExpectedVersionError);
    const { seen, sawCount, subscription } = follow(
      again.subscribeToAll({ fromPosition: answer.position ?? START }),
      'streamId',
    );
    await again.appendToStream(kept, event());
    await sawCount(6);
    expect(seen.filter((each) => each !== 'caughtUp')).to.deep.equal([kept, kept, `$$${kept}`, gone, kept]);
    await subscription.unsubscribe();
  });

  it('also when the server is stopped in the middle: what it cannot answer any more fails', async () => {
    const dataDir = temporaryDirectory();
    const { child, port } = await spawnServer(dataDir);
    const client = connect(port);
    const stream = newStream();
    await client.appendToStream(stream, event());
    const appends = Array.from({ length: 500 }, () => event()).map((one) =>
      client.appendToStream(stream, one).then(
        () => one.id,
        () => undefined,
      ),
    );
    child.kill('SIGTERM');
    const acknowledged = (await Promise.all(appends)).filter((id) => id !== undefined);
    const [code] = await once(child, 'exit');
    expect(code).to.equal(0);
    const stored = new Set<string>();
    const read = connect((await spawnServer(dataDir)).port).readStream(stream);
    for await (const { event: recorded } of read) if (recorded) stored.add(recorded.id);
    for (const id of acknowledged) expect(stored.has(id)).to.equal(true);
  });
});
