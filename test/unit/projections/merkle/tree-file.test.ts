import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import fc from 'fast-check';
import { leafHash, type StoredFact } from '../../../../projections/merkle/leaf.ts';
import { createTree, treeQueries, treeWriter } from '../../../../projections/merkle/tree-file.ts';
import { loadVerifier } from '../../../support/verifier.ts';
import { naivePath, naiveProof, naiveRoot } from './naive-tree.ts';

const verifier = await loadVerifier();

/** The n-th fact; positions leave gaps, as the store's do. */
function fact(n: number, part: Partial<StoredFact> = {}): StoredFact {
  const data = Buffer.from(JSON.stringify({ n, text: 'ü'.repeat(n % 7) }));
  const metadata = Buffer.from('{"$correlationId":"1","by":"system"}');
  const id = `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
  return {
    stream: 'events-1',
    revision: n,
    type: 'EventPublished',
    id,
    position: 10 * (n + 1),
    data,
    metadata,
    ...part,
  };
}

function openTree() {
  const db = new DatabaseSync(':memory:');
  createTree(db);
  return db;
}

describe('a leaf', () => {
  it('has the form that docs/audit.md says, for ever', () => {
    const leaf = leafHash({
      ...{ stream: 'events-1', revision: 7, type: 'EventPublished', id: '77656268-0000-8003-a000-000000000bb9' },
      ...{ position: 1, data: Buffer.from('{"total":12}'), metadata: Buffer.from('{"by":"publisher"}') },
    });
    expect(leaf.toString('hex')).to.equal('b11582a66e930145268ea43976f77f8090b6547d27f422b1793becd45eee68f1');
  });

  it('is the one that the verifier makes of the same fact', () => {
    for (let n = 0; n < 20; n++) {
      const { metadata, data, ...rest } = fact(n);
      const sent = { ...rest, metadata: Buffer.from(metadata).toString(), data: Buffer.from(data).toString() };
      expect(leafHash(fact(n)).equals(verifier.leafHash(sent)), String(n)).to.equal(true);
    }
  });

  it('changes with whatever changes in its fact, but not with its position', () => {
    const changes: Partial<StoredFact>[] = [
      { stream: 'events-2' },
      { revision: 8 },
      { type: 'EventPublishe' },
      { id: '00000000-0000-4000-8000-0000000000ff' },
      { data: Buffer.from('{}') },
      { metadata: Buffer.from('{}') },
      // What ends one and begins the other is part of it.
      { metadata: Buffer.from('{"a":1}{'), data: Buffer.from('}') },
      { metadata: Buffer.from('{"a":1}'), data: Buffer.from('{}') },
    ];
    const leaves = changes.map((change) => leafHash(fact(7, change)).toString('hex'));
    expect(new Set([leafHash(fact(7)).toString('hex'), ...leaves]).size).to.equal(changes.length + 1);
    expect(leafHash(fact(7, { position: 1 })).equals(leafHash(fact(7)))).to.equal(true);
  });

  it('is made of data of any length', () => {
    const large = fact(1, { data: Buffer.alloc(300_000, 'x') });
    const sent = { ...large, metadata: Buffer.from(large.metadata).toString(), data: 'x'.repeat(300_000) };
    expect(leafHash(large).equals(verifier.leafHash(sent))).to.equal(true);
    expect(leafHash(fact(2)).equals(leafHash(fact(2)))).to.equal(true);
  });
});

describe('the file of the tree', function () {
  this.timeout(20_000);

  it('is the tree over the facts, however they came in batches and however often its writer began anew', () => {
    const batches = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(batches, fc.nat(1_000), fc.nat(1_000), (sizes, one, other) => {
        using db = openTree();
        let count = 0;
        for (const size of sizes) {
          const facts = Array.from({ length: size }, (_, i) => fact(count + i));
          treeWriter(db).append(facts, facts.at(-1)?.position ?? -1);
          count += size;
        }
        const leaves = Array.from({ length: count }, (_, n) => leafHash(fact(n)));
        const tree = treeQueries(db);
        expect([tree.size(), tree.position()]).to.deep.equal([count, 10 * count]);
        const size = 1 + (one % count);
        const index = other % size;
        const some = leaves.slice(0, size);
        expect(tree.root(size)).to.deep.equal(naiveRoot(some));
        expect(tree.leaf(index)).to.deep.equal(some[index]);
        expect(tree.inclusionProof(index, size)).to.deep.equal(naivePath(index, some));
        expect(tree.consistencyProof(index + 1, size)).to.deep.equal(naiveProof(index + 1, some));
        expect(tree.indexOf(fact(index).position)).to.equal(index);
        expect(tree.indexOf(fact(index).position + 1)).to.equal(undefined);
      }),
      { numRuns: 40 },
    );
  });

  it('grows by a few kilobytes of writes a batch and proves in a few hashes, also at three levels of tiles', () => {
    const count = 256 * 256 + 300;
    using db = openTree();
    const writer = treeWriter(db);
    const leaves: Buffer[] = [];
    for (let from = 0; from < count; from += 4_096) {
      const facts = Array.from({ length: Math.min(4_096, count - from) }, (_, i) => fact(from + i));
      writer.append(facts, facts.at(-1)?.position ?? -1);
      leaves.push(...facts.map(leafHash));
    }
    const tree = treeQueries(db);
    const root = naiveRoot(leaves);
    expect(tree.root(count)).to.deep.equal(root);
    for (const index of [0, 255, 256, 65_535, 65_536, count - 1]) {
      const proof = tree.inclusionProof(index, count);
      expect(proof.length).to.be.at.most(17);
      const claim = { leaf: leaves[index] as Buffer, index, size: count, proof, root };
      expect(verifier.provesInclusion(claim), String(index)).to.equal(true);
    }
    const { tiles, bytes } = db.prepare('SELECT count(*) AS tiles, sum(length(hashes)) AS bytes FROM tiles').get() as {
      tiles: number;
      bytes: number;
    };
    // A level-0 tile for each 256 facts, one above for each 256 of those, and so on: 32 bytes a fact and a little.
    expect(tiles).to.equal(258 + 2 + 1);
    expect(bytes).to.be.lessThan(32 * count * 1.01);
  });

  it('leaves out what is no leaf', () => {
    using db = openTree();
    const streams = ['$settings', '$$events-1', 'idempotency-ab', 'tree-heads', 'events-1', 'node-0', 'anything'];
    treeWriter(db).append(
      streams.map((stream, n) => fact(n, { stream })),
      70,
    );
    const tree = treeQueries(db);
    expect(streams.map((_, n) => tree.indexOf(fact(n).position))).to.deep.equal([
      ...[undefined, undefined, undefined, undefined],
      ...[0, 1, 2],
    ]);
  });

  it('is as it was where a batch fails', () => {
    using db = openTree();
    const writer = treeWriter(db);
    writer.append([fact(0), fact(1)], 20);
    const before = treeQueries(db).root(2);
    const broken = { ...fact(3), metadata: undefined as unknown as Uint8Array };
    expect(() => writer.append([fact(2), broken], 40)).to.throw(TypeError);
    expect([writer.size(), writer.position()]).to.deep.equal([2, 20]);
    writer.append([fact(2)], 30);
    const tree = treeQueries(db);
    expect(tree.root(2)).to.deep.equal(before);
    expect(tree.root(3)).to.deep.equal(naiveRoot([0, 1, 2].map((n) => leafHash(fact(n)))));
  });
});
