import type { ProposedEvent } from '../store/event.ts';

/** What one call may make the server hold of appends that are not complete, in bytes: the size of the data alone is not all of it. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024;

/**
 * Events of one append, however small: they are written in one go, and everybody waits for that. A full append of 1 MiB may have 32,768 of 32 bytes.
 */
export const MAX_EVENTS = 50_000;

/** What an event takes beside its bytes, roughly. */
const EVENT_BYTES = 128;

/** What an event takes in memory until it is written. */
export function heldBytes({ type, data, metadata }: ProposedEvent): number {
  return EVENT_BYTES + type.length + data.length + metadata.length;
}
