import type { ReadModels } from '../../projections/read-models.ts';

/** Bytes of bodies kept for the next webhook of the same event. */
const KEPT_BYTES = 4 * 1_024 * 1_024;

export type Bodies = ReturnType<typeof createBodies>;

/** The bodies of events: read once for all webhooks of a fan-out, within bounds. */
export function createBodies({ events }: ReadModels) {
  const kept = new Map<number, Buffer>();
  let bytes = 0;
  return {
    /** @throws Error where the read models do not hold the event: every pending delivery has one */
    get(eventId: number): Buffer {
      const known = kept.get(eventId);
      if (known) return known;
      const json = events.json(eventId);
      if (json === undefined) throw new Error(`event ${eventId} is not in the read models`);
      const body = Buffer.from(json);
      kept.set(eventId, body);
      bytes += body.length;
      for (const [oldest, { length }] of kept) {
        if (bytes <= KEPT_BYTES) break;
        kept.delete(oldest);
        bytes -= length;
      }
      return body;
    },
  };
}
