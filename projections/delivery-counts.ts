import type { DatabaseSync } from 'node:sqlite';
import type { DeliveryStatus } from '../domain/delivery.ts';

/** The most deliveries of an event that are counted: a list must not walk all webhooks of the largest channel for each of its events. */
export const MAX_COUNTED = 1_000;

/** How many deliveries of an event there are of each status. */
export type DeliveryCounts = Readonly<Record<DeliveryStatus, number>> & {
  /** Of those that are pending, how many have been attempted. */
  readonly attempted: number;
};

export function deliveryCounts(db: DatabaseSync) {
  const counted = db.prepare(`
    SELECT status, count(*) AS count, sum(revision >= 0) AS attempted
    FROM (SELECT status, revision FROM deliveries WHERE event_id = ? LIMIT ${MAX_COUNTED}) GROUP BY status`);
  return (eventId: number): DeliveryCounts => {
    const counts = { pending: 0, delivered: 0, failed: 0, cancelled: 0, attempted: 0 };
    for (const row of counted.all(eventId)) {
      const { status, count, attempted } = row as { status: DeliveryStatus; count: number; attempted: number };
      counts[status] = count;
      if (status === 'pending') counts.attempted = attempted;
    }
    return counts;
  };
}
