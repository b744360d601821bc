import type { DatabaseSync } from 'node:sqlite';
import type { DeliveryStatus } from '../domain/delivery.ts';

/** The most deliveries of an event that are counted: a list must not walk all webhooks of the largest channel for each of its events. */
const MAX_COUNTED = 1_000;

/** How many deliveries of an event there are of each status. */
export type DeliveryCounts = Readonly<Record<DeliveryStatus, number>> & {
  /** Of those that are pending, how many have been attempted. */
  readonly attempted: number;
};

export function deliveryCounts(db: DatabaseSync) {
  const rows = db.prepare(`SELECT status, revision FROM deliveries WHERE event_id = ? LIMIT ${MAX_COUNTED}`);
  return (eventId: number): DeliveryCounts => {
    const counts = { pending: 0, delivered: 0, failed: 0, cancelled: 0, attempted: 0 };
    for (const row of rows.iterate(eventId)) {
      const { status, revision } = row as { status: DeliveryStatus; revision: number };
      counts[status] += 1;
      if (status === 'pending' && revision >= 0) counts.attempted += 1;
    }
    return counts;
  };
}
