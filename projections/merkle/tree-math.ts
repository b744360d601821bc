import { hash } from 'node:crypto';

/** Trees, proofs and their names are those of RFC 9162, section 2.1 (Merkle trees of Certificate Transparency), over SHA-256. */

const NODE_PREFIX = Buffer.from([0x01]);

/** Root of the tree without leaves. */
export const EMPTY_ROOT: Buffer = hash('sha256', Buffer.alloc(0), 'buffer');

/** The hash of an inner node. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([NODE_PREFIX, left, right], 65), 'buffer');
}

/** The hash of the complete subtree of height `height` (0: a leaf) that is the `index`-th of its height, counted from the left. */
export type NodeAt = (height: number, index: number) => Buffer;

/** Root of the tree over the first `size` leaves. */
export function rootOf(size: number, nodeAt: NodeAt): Buffer {
  return size === 0 ? EMPTY_ROOT : rangeHash(0, size, nodeAt);
}

/** What proves that the leaf `index` is in the tree over the first `size` leaves: PATH(index, D[size]), from the leaf upwards. */
export function inclusionProof(index: number, size: number, nodeAt: NodeAt): Buffer[] {
  const path: Buffer[] = [];
  let first = 0;
  let count = size;
  while (count > 1) {
    const left = largestPowerBelow(count);
    if (index - first < left) {
      path.push(rangeHash(first + left, count - left, nodeAt));
      count = left;
    } else {
      path.push(rangeHash(first, left, nodeAt));
      first += left;
      count -= left;
    }
  }
  return path.reverse();
}

/** What proves that the tree over the first `from` leaves is the beginning of that over the first `size`: PROOF(from, D[size]); 0 < from <= size. */
export function consistencyProof(from: number, size: number, nodeAt: NodeAt): Buffer[] {
  const path: Buffer[] = [];
  let first = 0;
  let count = size;
  while (from - first !== count) {
    const left = largestPowerBelow(count);
    if (from - first <= left) {
      path.push(rangeHash(first + left, count - left, nodeAt));
      count = left;
    } else {
      path.push(rangeHash(first, left, nodeAt));
      first += left;
      count -= left;
    }
  }
  // The verifier has the old root itself.
  if (first > 0) path.push(rangeHash(first, count, nodeAt));
  return path.reverse();
}

/** Hash over `count` leaves from `first` on, where `first` is a multiple of the smallest power of two that holds them. */
function rangeHash(first: number, count: number, nodeAt: NodeAt): Buffer {
  const height = Math.ceil(Math.log2(count));
  if (2 ** height === count) return nodeAt(height, first / count);
  const left = 2 ** (height - 1);
  return nodeHash(nodeAt(height - 1, first / left), rangeHash(first + left, count - left, nodeAt));
}

function largestPowerBelow(count: number): number {
  return 2 ** (Math.ceil(Math.log2(count)) - 1);
}
