import { createHash } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  consistencyProof,
  inclusionProof,
  type NodeAt,
  nodeHash,
  rootOf,
} from '../../../../projections/merkle/tree-math.ts';
import { loadVerifier } from '../../../support/verifier.ts';
import { naivePath, naiveProof, naiveRoot } from './naive-tree.ts';

/** Sizes up to here are tried all; 256 is where a second tile begins. */
const SIZES = 300;

const LEAVES = Array.from({ length: SIZES }, (_, i) => createHash('sha256').update(`leaf ${i}`).digest());
const known = new Map<string, Buffer>();
const nodeAt: NodeAt = (height, index) => {
  if (height === 0) return LEAVES[index] as Buffer;
  const name = `${height}/${index}`;
  const hash = known.get(name) ?? nodeHash(nodeAt(height - 1, 2 * index), nodeAt(height - 1, 2 * index + 1));
  known.set(name, hash);
  return hash;
};

const { provesInclusion, provesConsistency } = await loadVerifier();

/** Each proof with one thing of it changed. */
function mutated(proof: readonly Buffer[], which: number): Buffer[][] {
  const flipped = proof.map((hash, i) => {
    const copy = Buffer.from(hash);
    if (i === which % proof.length) copy[which % 32] = (copy[which % 32] as number) ^ 1;
    return copy;
  });
  const swapped = proof.length > 1 ? [[...proof.slice(1), proof[0] as Buffer]] : [];
  return [flipped, [...proof, LEAVES[0] as Buffer], proof.slice(1), proof.slice(0, -1), ...swapped].filter(
    (other) => !isSame(other, proof),
  );
}

function isSame(a: readonly Buffer[], b: readonly Buffer[]): boolean {
  return a.length === b.length && a.every((hash, i) => hash.equals(b[i] as Buffer));
}

describe('Merkle trees', function () {
  this.timeout(30_000);

  it('have the root that RFC 9162 says', () => {
    for (let size = 0; size <= SIZES; size++) {
      expect(rootOf(size, nodeAt).equals(naiveRoot(LEAVES.slice(0, size))), `size ${size}`).to.equal(true);
    }
  });

  it('prove the inclusion of every leaf in a tree of every size, as RFC 9162 says', () => {
    for (let size = 1; size <= SIZES; size++) {
      const root = rootOf(size, nodeAt);
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(index, size, nodeAt);
        const leaf = LEAVES[index] as Buffer;
        if (!provesInclusion({ leaf, index, size, proof, root })) throw new Error(`leaf ${index} of ${size}`);
      }
      const some = (size * 7) % size;
      const leaves = LEAVES.slice(0, size);
      for (const index of [0, some, size - 1])
        expect(inclusionProof(index, size, nodeAt)).to.deep.equal(naivePath(index, leaves));
    }
  });

  it('prove that a tree of every size begins with those of every smaller one, as RFC 9162 says', () => {
    for (let size = 1; size <= SIZES; size++) {
      const root = rootOf(size, nodeAt);
      for (let from = 1; from <= size; from++) {
        const proof = consistencyProof(from, size, nodeAt);
        const claim = { from, fromRoot: rootOf(from, nodeAt), size, root, proof };
        if (!provesConsistency(claim)) throw new Error(`${from} of ${size}`);
      }
      for (const from of [1, Math.ceil(size / 2), Math.ceil(size / 3), size]) {
        expect(consistencyProof(from, size, nodeAt)).to.deep.equal(naiveProof(from, LEAVES.slice(0, size)));
      }
    }
  });

  const places = fc
    .integer({ min: 1, max: SIZES })
    .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 }), fc.nat(1_000)));

  it('prove no inclusion by a proof, leaf, place or root that was changed', () => {
    fc.assert(
      fc.property(places, ([size, index, which]) => {
        const proof = inclusionProof(index, size, nodeAt);
        const claim = { leaf: LEAVES[index] as Buffer, index, size, proof, root: rootOf(size, nodeAt) };
        expect(provesInclusion(claim)).to.equal(true);
        const other = LEAVES[(index + 1) % SIZES] as Buffer;
        expect(provesInclusion({ ...claim, leaf: other }), 'another leaf').to.equal(false);
        expect(provesInclusion({ ...claim, root: other }), 'another root').to.equal(false);
        if (size > 1) expect(provesInclusion({ ...claim, index: (index + 1) % size }), 'another place').to.equal(false);
        for (const changed of mutated(proof, which))
          expect(provesInclusion({ ...claim, proof: changed })).to.equal(false);
      }),
      { numRuns: 300 },
    );
  });

  it('prove no consistency by a proof or root that was changed', () => {
    fc.assert(
      fc.property(places, ([size, smaller, which]) => {
        const from = smaller + 1;
        const proof = consistencyProof(from, size, nodeAt);
        const claim = { from, fromRoot: rootOf(from, nodeAt), size, root: rootOf(size, nodeAt), proof };
        expect(provesConsistency(claim)).to.equal(true);
        const other = LEAVES[which % SIZES] as Buffer;
        if (!other.equals(claim.fromRoot)) expect(provesConsistency({ ...claim, fromRoot: other })).to.equal(false);
        if (!other.equals(claim.root)) expect(provesConsistency({ ...claim, root: other })).to.equal(false);
        for (const changed of mutated(proof, which))
          expect(provesConsistency({ ...claim, proof: changed })).to.equal(false);
      }),
      { numRuns: 300 },
    );
  });
});
