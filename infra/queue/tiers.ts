import { shardOf, subjectOfShard } from './shards.ts';

const RETRY_SUBJECT = 'deliveries.retry';
/** What the subjects of all slots match, however many there are. */
export const RETRY_SUBJECTS = `${RETRY_SUBJECT}.*`;

/** How waits are sorted by the time of their end. */
export interface Tiers {
  /** How many slots there are; may grow with a later version, not shrink: nobody would ask for what the others hold. */
  readonly slots: number;
  /** How much time belongs to a slot before the next one's begins, in ms. After the last comes the first again. */
  readonly slotMs: number;
  /** A longer wait goes to a slot, in ms. */
  readonly longMs: number;
}

/**
 * While a consumer hands out or takes back anything, nats-server writes and scans all that waits there several times a second. So what waits long is
 * spread over consumers by the time of its end: in an hour's waits only the slot that falls due and the one that is filled are active, and they are
 * never the same. All slots together are longer than an hour by what keeps them apart.
 */
export const TIERS: Tiers = {
  slots: 64,
  slotMs: 75_000,
  // Not shorter than the stream recognises a message id: one that was acknowledged in its slot may not come again within that time.
  longMs: 120_000,
};

export const subjectOfSlot = (slot: number): string => `${RETRY_SUBJECT}.${slot}`;

/** The slot of what is due then. A time so far away that its slot comes by before it waits on there. */
export function slotAt(dueMs: number, { slots, slotMs }: Tiers): number {
  const slot = Math.floor(dueMs / slotMs) % slots;
  return slot < 0 ? slot + slots : slot;
}

/** Whether what is due then is to wait in a slot. */
export const isLongWait = (dueMs: number, nowMs: number, { longMs }: Tiers): boolean => dueMs - nowMs > longMs;

/** Where a webhook's message that is due then is to wait from now on. */
export function subjectAt(webhookId: number, dueMs: number, nowMs: number, tiers: Tiers): string {
  return isLongWait(dueMs, nowMs, tiers) ? subjectOfSlot(slotAt(dueMs, tiers)) : subjectOfShard(shardOf(webhookId));
}
