import type { Facts } from './fact.ts';
import type { RecordedFact } from './facts.ts';

/** A signed head of the tree over the log: what the log was when it had `tree_size` facts. */
export interface TreeHead {
  readonly tree_size: number;
  /** Base64. */
  readonly root_hash: string;
  /** When it was signed: ISO 8601, UTC. */
  readonly at: string;
  /** What is signed and the signature: a signed note (https://c2sp.org/signed-note) that holds a checkpoint (https://c2sp.org/tlog-checkpoint). */
  readonly note: string;
  /** The ed25519 key that it is signed with: its 32 bytes in base64. */
  readonly public_key: string;
}

export type TreeHeadFact = Facts<{ TreeHeadSigned: TreeHead }>;

/** A head and its place in its stream. */
export type RecordedTreeHead = TreeHead & Pick<RecordedFact, 'revision'>;
