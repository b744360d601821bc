import type { TypeCounts } from '../../domain/erasure.ts';
import type { Stretch } from '../../domain/remains.ts';
import { type Leaf, leafHash, type StoredFact } from './leaf.ts';

const HASH_BYTES = 32;

/** A leaf, and the fact that it is of. */
export interface NamedLeaf extends Leaf, Pick<StoredFact, 'stream' | 'revision' | 'type'> {}

export function namedLeaf(fact: StoredFact): NamedLeaf {
  const { stream, revision, type, position } = fact;
  return { stream, revision, type, position, hash: leafHash(fact) };
}

/** What remains of facts that follow each other in a stream. */
export function stretchOf(leaves: readonly NamedLeaf[]): Stretch {
  const [first] = leaves as readonly [NamedLeaf];
  const types: Record<string, number> = {};
  for (const { type } of leaves) types[type] = (types[type] ?? 0) + 1;
  return {
    ...{ stream: first.stream, from: first.revision, types },
    positions: leaves.map(({ position }, n) => position - (leaves[n - 1]?.position ?? 0)),
    leaves: Buffer.concat(leaves.map(({ hash }) => hash)).toString('base64'),
  };
}

/** The leaves that a stretch stands for, in the order of the log. */
export function leavesOf({ positions, leaves }: Stretch): Leaf[] {
  const hashes = Buffer.from(leaves, 'base64');
  let position = 0;
  return positions.map((step, n) => {
    position += step;
    return { position, hash: hashes.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES) };
  });
}

/** What is kept in mind of a stretch. */
export interface KnownStretch {
  readonly channelId: number;
  /** Revisions: the first, and the one behind the last. */
  readonly from: number;
  readonly before: number;
  /** Positions of the first and the last of its leaves. */
  readonly first: number;
  readonly last: number;
  readonly types: TypeCounts;
}

export function knownStretch({ from, positions, types }: Stretch, channelId: number): KnownStretch {
  const [first = 0] = positions;
  const last = positions.reduce((total, step) => total + step, 0);
  return { channelId, from, before: from + positions.length, first, last, types };
}
