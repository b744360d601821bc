import type { Facts } from './fact.ts';
import { Refusal } from './refusal.ts';

export type IdempotencyFact = Facts<{
  /**
   * `id` and `at` are what the first request used: carrying it out again with them makes the same thing again. `ids` are those of all that it makes; absent
   * where that is one.
   */
  RequestAccepted: { request_hash: string; id: number; ids?: readonly number[]; at: string };
}>;

export type AcceptedRequest = IdempotencyFact['data'];

/** How long an Idempotency-Key holds, in ms; in s, the `$maxAge` of its stream. */
export const IDEMPOTENCY_MS = 24 * 3_600_000;
export const IDEMPOTENCY_MAX_AGE_S = IDEMPOTENCY_MS / 1_000;

/** The newest of the stream's facts that still holds at `atMs`. */
export function acceptedRequest(facts: readonly IdempotencyFact[], atMs: number): AcceptedRequest | undefined {
  const newest = facts.at(-1)?.data;
  return newest && atMs - Date.parse(newest.at) < IDEMPOTENCY_MS ? newest : undefined;
}

/** @throws Refusal idempotency-key-reused where the key was used for another request */
export function assertSameRequest(accepted: AcceptedRequest, requestHash: string): void {
  if (accepted.request_hash !== requestHash) {
    throw new Refusal('idempotency-key-reused', 'This Idempotency-Key was used for a request with another body.');
  }
}
