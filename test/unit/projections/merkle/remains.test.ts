import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import fc from 'fast-check';
import type { StoredFact } from '../../../../projections/merkle/leaf.ts';
import { knownStretch, leavesOf, namedLeaf, stretchOf } from '../../../../projections/merkle/remains.ts';
import { createTree, treeQueries, treeWriter } from '../../../../projections/merkle/tree-file.ts';

const fact = (n: number, part: Partial<StoredFact> = {}): StoredFact => ({
  ...{ stream: 'events-1', revision: n, type: n % 3 === 0 ? 'EventPublished' : 'RedeliveryRequested' },
  ...{ id: `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`, position: 7 * n + 3 },
  ...{ data: Buffer.from(`{"n":${n}}`), metadata: Buffer.from('{}') },
  ...part,
});
const facts = (from: number, count: number) => Array.from({ length: count }, (_, n) => fact(from + n));

describe('what remains of facts', () => {
  it('is where they were and the hashes of their leaves', () => {
    const all = facts(5, 40);
    const stretch = stretchOf(all.map(namedLeaf));
    expect(stretch).to.include({ stream: 'events-1', from: 5 });
    expect(stretch.types).to.deep.equal({ EventPublished: 13, RedeliveryRequested: 27 });
    const leaves = leavesOf(JSON.parse(JSON.stringify(stretch)));
    expect(leaves.map(({ position }) => position)).to.deep.equal(all.map(({ position }) => position));
    for (const [n, { hash }] of leaves.entries())
      expect(hash.equals(namedLeaf(all[n] as StoredFact).hash)).to.equal(true);
    expect(knownStretch(stretch, 9)).to.deep.include({ channelId: 9, from: 5, before: 45, first: 38, last: 311 });
  });

  it('says nothing that is not in the leaf, and is about 50 bytes a fact', () => {
    const secret = fact(1, { data: Buffer.from('{"secret":"s3cr3t"}'), id: '77777777-0000-4000-8000-000000000000' });
    expect(JSON.stringify(stretchOf([namedLeaf(secret)]))).to.not.match(/s3cr3t|77777777/);
    const size = JSON.stringify(stretchOf(facts(0, 8_000).map(namedLeaf))).length;
    expect(size / 8_000).to.be.lessThan(52);
  });

  it('makes the tree that the facts made, whichever of them are gone and however many are read at a time', () => {
    const all = [...facts(0, 300)];
    const tree = (erased: ReadonlySet<number>, atATime: number) => {
      const db = new DatabaseSync(':memory:');
      createTree(db);
      const writer = treeWriter(db);
      for (let n = 0; n < all.length; n += atATime) {
        const part = all.slice(n, n + atATime);
        const [there, gone] = [
          part.filter(({ position }) => !erased.has(position)),
          part.filter(({ position }) => erased.has(position)),
        ];
        writer.append(there, part.at(-1)?.position ?? 0, [], gone.map(namedLeaf));
      }
      const root = treeQueries(db).root(all.length).toString('hex');
      const index = treeQueries(db).indexOf(all[123]?.position ?? 0);
      db.close();
      return { root, index };
    };
    const whole = tree(new Set(), 300);
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(299)), fc.integer({ min: 1, max: 300 }), (gone, atATime) => {
        const erased = new Set(gone.map((n) => all[n]?.position ?? 0));
        expect(tree(erased, atATime)).to.deep.equal(whole);
      }),
      { numRuns: 30 },
    );
  });
});
