import type { TypeCounts } from './erasure.ts';
import type { Facts } from './fact.ts';

/** What remains of facts that follow each other in a stream. */
export interface Stretch {
  readonly stream: string;
  /** Revision of the first of them. */
  readonly from: number;
  readonly types: TypeCounts;
  /** Position of the first of them in the log, then by how much each of the others lies behind the one before it. */
  readonly positions: readonly number[];
  /** The hashes of their leaves (docs/audit.md), 32 bytes each, one after the other: base64. */
  readonly leaves: string;
}

/** What remains of facts that are to go from the log, so that the tree over it can still be made. */
export type RemainsFact = Facts<{ FactsErased: { channel_id: number; stretches: readonly Stretch[] } }>;
