import type { StreamName } from './names.ts';

export interface ProposedEvent {
  /** A UUID as its 16 bytes. */
  readonly id: Uint8Array;
  readonly type: string;
  readonly json: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface RecordedEvent extends ProposedEvent {
  /** Place in `$all`: 1, 2, 3, … without gaps, so that differences of positions count events. */
  readonly position: number;
  readonly stream: StreamName;
  readonly revision: number;
  readonly createdMs: number;
  /** The event as it is sent, once somebody has asked for it: live subscriptions share it. */
  message: Buffer | undefined;
}

/** The revision of the event that ends a tombstoned stream; on the wire it is 2^63-1. */
export const TOMBSTONE_REVISION = Number.MAX_SAFE_INTEGER;
