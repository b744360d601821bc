import { hash } from 'node:crypto';

/** A fact as the store holds it: what the tree is over. */
export interface StoredFact {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  /** A UUID, in lower case. */
  readonly id: string;
  readonly position: number;
  readonly metadata: Uint8Array;
  readonly data: Uint8Array;
}

/** A leaf of the tree and the place of its fact in the log. */
export interface Leaf {
  readonly position: number;
  readonly hash: Buffer;
}

/** Names the form of a leaf, and is part of it. */
const FORM = 'webhooks-fact-v1';

/** What lapses by itself (RequestAccepted, after a day), and the tree's own heads. */
const NOT_IN_TREE = /^(?:\$|idempotency-|tree-heads$)/;

/** Whether the facts of a stream are leaves. Says nothing of which streams this version knows: old and new code make the same tree. */
export function isInTree(stream: string): boolean {
  return !NOT_IN_TREE.test(stream);
}

/** The hash of a fact's leaf: docs/audit.md has its form. */
export function leafHash({ stream, revision, type, id, metadata, data }: Omit<StoredFact, 'position'>): Buffer {
  const content = contentHash(metadata, data);
  const fields = [FORM, stream, String(revision), type, id, content];
  return hash('sha256', `\0${fields.map(netstring).join('')}`, 'buffer');
}

/**
 * Stands for metadata and data in the leaf, in hex: once they are erased this is all that remains of them, and the leaf stays as it was. Both together, since the
 * metadata hold random bits, without which what is short could be guessed from its hash.
 */
function contentHash(metadata: Uint8Array, data: Uint8Array): string {
  const [before, between] = [`${metadata.length}:`, `,${data.length}:`];
  const bytes = room(before.length + metadata.length + between.length + data.length + 1);
  let end = bytes.write(before, 0, 'latin1');
  bytes.set(metadata, end);
  end += metadata.length;
  end += bytes.write(between, end, 'latin1');
  bytes.set(data, end);
  end += data.length;
  end += bytes.write(',', end, 'latin1');
  return hash('sha256', bytes.subarray(0, end), 'hex');
}

/** https://cr.yp.to/proto/netstrings.txt */
function netstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`;
}

let scratch = Buffer.alloc(64 * 1_024);

/** Bytes that are only used until the next call. */
function room(length: number): Buffer {
  if (scratch.length < length) scratch = Buffer.alloc(2 * length);
  return scratch;
}
