import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type NewFact, stream } from '../../../../domain/facts.ts';
import type { TreeHeadFact } from '../../../../domain/tree-head.ts';
import { openCheckpoint, signCheckpoint } from '../../../../infra/checkpoint.ts';
import { connectEventStore, type EventStore, type StoredEvent } from '../../../../infra/event-store/client.ts';
import { createKeys } from '../../../../infra/keys.ts';
import type { Service } from '../../../../infra/lifecycle.ts';
import { startEventstore } from '../../../../infra/local/eventstore/eventstore.ts';
import { createLog, type Logger } from '../../../../infra/log.ts';
import { openForReading } from '../../../../infra/sqlite.ts';
import { namedLeaf, stretchOf } from '../../../../projections/merkle/remains.ts';
import { treeQueries } from '../../../../projections/merkle/tree-file.ts';
import { noteDamaged } from '../../../../services/derived-file.ts';
import { createNotary } from '../../../../services/notary/notary.ts';
import { treeFile, writableTree } from '../../../../services/tree.ts';
import { channelCreated, newFact } from '../../../support/sample.ts';
import { waitFor } from '../../../support/wait.ts';

const KEY = createKeys(['a master secret of more than thirty-two characters']).treeHeadKey();

describe('the notary', () => {
  let eventstore: Awaited<ReturnType<typeof startEventstore>>;
  let store: EventStore;
  let dir: string;
  let running: Service[];
  let errors: string[];
  let count: number;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'notary-'));
    eventstore = await startEventstore({
      dataDir: join(dir, 'store'),
      host: '127.0.0.1',
      port: 0,
      maxAppendSize: 1024 * 1024,
    });
    store = connectEventStore(`esdb://127.0.0.1:${eventstore.port}?tls=false`);
    running = [];
    errors = [];
    count = 0;
  });
  afterEach(async () => {
    for (const service of running) await service.stop();
    await store.close();
    await eventstore.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const silent = createLog('test', 'silent');
  const log = (): Logger =>
    Object.assign(Object.create(silent), { error: (_: object, text: string) => errors.push(text) });

  async function start(node = 'a', isLeading = () => true, from: EventStore = store) {
    const notary = createNotary({
      ...{
        ...writableTree(join(dir, node), silent),
        store: from,
        key: KEY,
        isLeading,
        intervalMs: 10,
        nowMs: Date.now,
        log: log(),
      },
    });
    await notary.start();
    running.push(notary);
  }
  /** Follows the log beside the notary, from its beginning. */
  async function follow() {
    const abort = new AbortController();
    let reached = -1;
    const following = (async () => {
      for await (const { position } of store.follow({ after: -1, signal: abort.signal })) reached = position;
    })();
    const stop = async () => {
      abort.abort();
      await following;
    };
    running.push({ name: 'follower', start: async () => {}, stop });
    await waitFor('the follower', store.lastPosition, (end) => reached >= end);
  }
  async function appendFact() {
    count += 1;
    await store.append(stream.channel(count), [newFact(channelCreated({ id: count }), count)], 'any');
  }
  const heads = () => store.read<TreeHeadFact>(stream.treeHeads);
  const whenHeads = (wanted: number) => waitFor(`${wanted} heads`, heads, (found) => found.length >= wanted);
  function treeOf<T>(node: string, ask: (tree: ReturnType<typeof treeQueries>) => T): T | undefined {
    using db = openForReading(treeFile(join(dir, node)));
    return db && ask(treeQueries(db));
  }

  it('signs a head when there are new facts, and heads make no new ones', async () => {
    await start();
    await appendFact();
    await whenHeads(1);
    for (const nth of [2, 3]) {
      await appendFact();
      await whenHeads(nth);
    }
    const signed = await heads();
    expect(signed.map(({ data }) => data.tree_size)).to.deep.equal([1, 2, 3]);
    for (const { data } of signed) {
      const root = treeOf('a', (tree) => tree.root(data.tree_size).toString('base64'));
      const { tree_size, at } = data;
      expect(data.root_hash).to.equal(root);
      expect(openCheckpoint(data.note, Buffer.from(data.public_key, 'base64'))).to.deep.equal({
        tree_size,
        root_hash: root,
        at,
      });
    }
    expect(errors).to.deep.equal([]);
  });

  it('of each node keeps the tree, and the one that leads signs', async () => {
    let leader = 'a';
    await start('a', () => leader === 'a');
    await start('b', () => leader === 'b');
    await appendFact();
    await whenHeads(1);
    leader = 'b';
    await appendFact();
    const [, last] = await whenHeads(2);
    const inBoth = () => ['a', 'b'].map((node) => treeOf(node, (tree) => tree.lastHead()?.root_hash));
    await waitFor('both trees to have the head', inBoth, (found) =>
      found.every((root) => root === last?.data.root_hash),
    );
  });

  it('signs no head twice where two nodes take themselves for the one that leads', async () => {
    await start('a');
    await start('b');
    for (let nth = 1; nth <= 10; nth++) {
      await appendFact();
      await whenHeads(nth);
    }
    const sizes = (await heads()).map(({ data }) => data.tree_size);
    expect(sizes).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('goes on where it was, and makes the tree anew where it is not there or damaged', async () => {
    await appendFact();
    await start();
    const root = (await whenHeads(1))[0]?.data.root_hash;
    const again = async () => {
      await running.pop()?.stop();
      await start();
      await waitFor('the tree', () => treeOf('a', (tree) => tree.lastHead()?.root_hash) === root);
    };
    await again();
    rmSync(treeFile(join(dir, 'a')));
    await again();
    noteDamaged(treeFile(join(dir, 'a')));
    await again();
    expect(await heads()).to.have.length(1);
  });

  /** Truncates the streams of the first facts, and says before what remains of them. */
  async function eraseFirst(howMany: number, namedLeafOf: typeof namedLeaf) {
    const events = await Promise.all(
      Array.from(
        { length: howMany },
        async (_, n) => (await store.storedIn(stream.channel(n + 1), 0, 1))[0] as StoredEvent,
      ),
    );
    const stretches = events.map((event) => stretchOf([namedLeafOf(event)]));
    const fact = { type: 'FactsErased', data: { channel_id: 1, stretches } } as const;
    await store.append(stream.remains, [newFact(fact, 2_000) as NewFact], 'any');
    for (const [n] of events.entries()) await store.truncate(stream.channel(n + 1), 1);
    const last = events.at(-1)?.position ?? 0;
    await waitFor('them to be gone', async () => (await store.storedAt(last)) === undefined);
  }

  async function signThree() {
    for (const _ of [1, 2, 3]) await appendFact();
    await start();
    const [head] = await whenHeads(1);
    return head?.data.root_hash;
  }

  it('takes what others in its process have just read, and reads nothing itself', async () => {
    let reads = 0;
    const storedUpTo: EventStore['storedUpTo'] = (options) => {
      reads += 1;
      return store.storedUpTo(options);
    };
    await appendFact();
    await follow();
    await start('a', () => false, { ...store, storedUpTo });
    await waitFor('the first fact', () => treeOf('a', (tree) => tree.size() === 1));
    const many = Array.from({ length: 400 }, (_, n) => newFact(channelCreated({ id: 1_000 + n }), 1_000 + n));
    await store.append(stream.channel(1_000), many, 'any');
    await waitFor('all of them', () => treeOf('a', (tree) => tree.size() === 401));
    expect(reads).to.equal(0);
    await start('b', () => false, { ...store, recentStored: () => undefined });
    await waitFor('the same tree', () => treeOf('b', (tree) => tree.size() === 401));
    const [a, b] = ['a', 'b'].map((node) => treeOf(node, (tree) => tree.root(401).toString('base64')));
    expect(a).to.equal(b);
  });

  for (const isRead of [false, true])
    it(`makes the same tree of what is erased and of what remains of it${isRead ? ', where others have just read the rest' : ''}`, async () => {
      const root = await signThree();
      await eraseFirst(2, namedLeaf);
      await running.pop()?.stop();
      rmSync(treeFile(join(dir, 'a')));
      if (isRead) await follow();
      await start();
      await start('b', () => false);
      for (const node of ['a', 'b']) await waitFor('the tree', () => treeOf(node, (tree) => tree.size() >= 4));
      for (const node of ['a', 'b']) expect(treeOf(node, (tree) => tree.root(3).toString('base64'))).to.equal(root);
      expect(errors).to.deep.equal([]);
    });

  it('says so where something else remains of a fact than it was', async () => {
    await signThree();
    await eraseFirst(2, (event) => ({ ...namedLeaf(event), hash: Buffer.alloc(32, 7) }));
    await running.pop()?.stop();
    rmSync(treeFile(join(dir, 'a')));
    await start();
    await waitFor('the error', () => errors[0]);
    expect(errors[0]).to.equal('the log is not the one whose head was signed then: run webhooks-audit verify');
  });

  it('says so where a head is not one of this log, and goes on signing', async () => {
    await appendFact();
    const data = signCheckpoint(KEY, 1, Buffer.alloc(32, 1), Date.now());
    const foreign = { type: 'TreeHeadSigned', data } as const;
    await store.append(stream.treeHeads, [newFact(foreign, 1_000) as NewFact], 'any');
    await start();
    const [, own] = await whenHeads(2);
    expect(own?.data.root_hash).to.equal(treeOf('a', (tree) => tree.root(1).toString('base64')));
    expect(errors).to.deep.equal(['the log is not the one whose head was signed then: run webhooks-audit verify']);
  });
});
