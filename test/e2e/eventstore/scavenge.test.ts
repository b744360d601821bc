import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventStoreDBClient } from '@eventstore/db-client';
import { expect } from 'chai';
import { openDatabase } from '../../../infra/local/eventstore/store/database.ts';
import { checkWhole } from '../../../infra/local/eventstore/store/whole-check.ts';
import { waitFor } from '../../support/wait.ts';
import {
  collect,
  connect,
  endAll,
  errorOf,
  event,
  newStream,
  revisions,
  spawnServer,
  temporaryDirectory,
} from './support.ts';

/** What metadata hide is removed from the file, and nothing else is. */
describe('eventstore: scavenging', function () {
  this.timeout(60_000);
  let dataDir: string;
  let server: Awaited<ReturnType<typeof spawnServer>>;
  let client: EventStoreDBClient;

  beforeEach(async () => {
    dataDir = temporaryDirectory();
    await start();
  });
  afterEach(endAll);

  async function start() {
    server = await spawnServer(dataDir);
    client = connect(server.port);
  }
  async function stop(signal: NodeJS.Signals = 'SIGTERM') {
    server.child.kill(signal);
    await server.exited;
  }

  const isOnDisk = (text: string) =>
    readdirSync(dataDir).some((name) => readFileSync(join(dataDir, name)).includes(text));
  const whenGone = (text: string) => waitFor(`no ${text} on disk`, () => !isOnDisk(text));

  /** Small and large ones, more than a page of them, with the events of another stream between. */
  async function fill(marker: string) {
    const [stream, other] = [newStream(), newStream()];
    for (let n = 0; n < 10; n++) {
      const large = n === 3 ? 'x'.repeat(100_000) : '';
      const own = Array.from({ length: 60 }, (_, i) => event({ text: `${marker} ${n} ${i} ${large}${marker}` }));
      await client.appendToStream(stream, own.slice(0, n === 3 ? 5 : 60));
      await client.appendToStream(other, [event({ n })]);
    }
    return { stream, other };
  }
  const read = async (stream: string) => revisions(await collect(client.readStream(stream)));
  const typesOfAll = async () => (await collect(client.readAll())).map(({ event: recorded }) => recorded?.type);

  it('removes from the file what $tb hides, and leaves all else in its place', async () => {
    const { stream, other } = await fill('MARKER-OF-TB');
    const positions = async () =>
      (await collect(client.readAll()))
        .filter(({ event: recorded }) => recorded?.streamId === other)
        .map(({ event: recorded }) => String(recorded?.position?.commit));
    const before = await positions();
    expect(isOnDisk('MARKER-OF-TB')).to.equal(true);
    await client.setStreamMetadata(stream, { truncateBefore: 545 });
    await whenGone('MARKER-OF-TB');
    expect(await read(stream)).to.deep.equal([]);
    expect(await positions()).to.deep.equal(before);
    const { nextExpectedRevision } = await client.appendToStream(stream, event({ text: 'and on' }));
    expect(nextExpectedRevision).to.equal(545n);
    expect(await read(stream)).to.deep.equal([545]);
  });

  it('keeps what lies behind $tb', async () => {
    const stream = newStream();
    await client.appendToStream(stream, [event({ text: 'GOES-AWAY' }), event({ text: 'STAYS-HERE' })]);
    await client.setStreamMetadata(stream, { truncateBefore: 1 });
    await whenGone('GOES-AWAY');
    expect(isOnDisk('STAYS-HERE')).to.equal(true);
    expect(await read(stream)).to.deep.equal([1]);
  });

  it('removes what has become too old or too many, or was deleted, at a start at the latest', async () => {
    const [aged, counted, deleted] = [newStream(), newStream(), newStream()];
    await client.appendToStream(deleted, event({ text: 'DELETED-AND-GONE' }));
    await client.deleteStream(deleted);
    await client.appendToStream(aged, event({ text: 'TOO-OLD-BY-NOW' }));
    await client.setStreamMetadata(aged, { maxAge: 1 });
    await client.appendToStream(counted, [event({ text: 'OVER-THE-COUNT' }), event({ text: 'THE-LAST' })]);
    await client.setStreamMetadata(counted, { maxCount: 1 });
    await waitFor('it to be hidden', async () => (await read(aged)).length === 0);
    await stop();
    await start();
    await whenGone('TOO-OLD-BY-NOW');
    await whenGone('OVER-THE-COUNT');
    await whenGone('DELETED-AND-GONE');
    expect(await read(counted)).to.deep.equal([1]);
  });

  it('goes on where it was killed, and the file is whole', async () => {
    const { stream } = await fill('MARKER-OF-KILL');
    await client.setStreamMetadata(stream, { truncateBefore: 545 });
    await stop('SIGKILL');
    await start();
    await whenGone('MARKER-OF-KILL');
    expect((await typesOfAll()).filter((type) => type === 'Happened')).to.have.length(10);
    await stop();
    const { database } = openDatabase(dataDir);
    checkWhole(database, () => {});
    database.close();
  });

  it('is passed over by subscriptions and backward reads', async () => {
    const { stream, other } = await fill('MARKER-OF-READS');
    await client.setStreamMetadata(stream, { truncateBefore: 545 });
    await whenGone('MARKER-OF-READS');
    await stop();
    await start();
    const backwards = await collect(client.readAll({ direction: 'backwards', fromPosition: 'end' }));
    const own = backwards.filter(({ event: recorded }) => recorded?.streamId === other);
    expect(revisions(own)).to.deep.equal([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    const seen: number[] = [];
    for await (const { event: recorded } of client.subscribeToAll()) {
      if (recorded?.streamId === stream) throw new Error('it was shown');
      if (recorded?.streamId === other) seen.push(Number(recorded.revision));
      if (seen.length === 10) break;
    }
    expect(seen).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('is not taken back by an append of the same event', async () => {
    const stream = newStream();
    const once = event({ text: 'ONCE' });
    await client.appendToStream(stream, once, { expectedRevision: 'no_stream' });
    await client.setStreamMetadata(stream, { truncateBefore: 1 });
    await whenGone('ONCE');
    expect(await errorOf(client.appendToStream(stream, once, { expectedRevision: 'no_stream' }))).to.not.equal(
      undefined,
    );
    expect(await read(stream)).to.deep.equal([]);
  });
});
