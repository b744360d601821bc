import type { ErasedStream } from './erasure.ts';
import type { Facts } from './fact.ts';

/** What is older than RETENTION and over goes: from the read models, then from the log. */
export type RetentionFact = Facts<{
  /** Events of all channels with ids from `from` on and below `below` leave the read models, with their deliveries, but those that are `kept`, whose deliveries are not over. */
  EventsExpired: { from: number; below: number; kept: readonly number[] };
  /**
   * What a channel's streams held before these revisions may go: its remains are in the log. Attempts that were recorded up to `counted_until` count no more. Of the webhooks
   * that began to fail by then these still do, whatever is left that tells it; null: no attempt goes.
   */
  StreamsTruncated: {
    channel_id: number;
    streams: readonly ErasedStream[];
    counted_until: string | null;
    failing: readonly { readonly webhook_id: number; readonly since: string }[];
    /** When operational webhooks were last told of each that it fails. */
    told: readonly { readonly webhook_id: number; readonly at_ms: number }[];
  };
}>;

/** By how much more than RETENTION an event must be old, in ms: nobody may ask for it again by then, whatever their clock says. */
export function retentionMarginMs(retentionMs: number): number {
  return Math.min(60_000, retentionMs / 10);
}
