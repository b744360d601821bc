import type { DatabaseSync } from 'node:sqlite';
import type { Delivery, DeliveryStatus } from '../domain/delivery.ts';
import { idsOf } from './ids-of.ts';
import { boundsOf, type ListPart, partOf, type Range } from './part.ts';

/** Which deliveries of a webhook a list is to show. */
export interface DeliveryFilter {
  readonly event_name?: string | undefined;
  readonly status?: DeliveryStatus | undefined;
}

type ListOwner = { readonly id: number; readonly channel_id: number };

/** A delivery, and what it delivers. */
export interface ListedDelivery {
  readonly event_name: string;
  readonly ext_ref_code: string | undefined;
  /** ISO 8601, UTC. */
  readonly published_at: string;
  readonly delivery: Delivery;
}

interface ListedRow {
  readonly event_name: string;
  readonly ext_ref_code: string | null;
  readonly published_at: string;
  readonly state: string;
}

const STATUSES: readonly DeliveryStatus[] = ['pending', 'delivered', 'failed', 'cancelled'];

/** Deliveries of a webhook, newest event first; an index is walked as for a list of events. */
export function deliveryList(db: DatabaseSync) {
  const ofStatus = (status: string) => `
    SELECT event_id AS id FROM deliveries WHERE webhook_id = ?1 AND status = ${status} AND event_id >= ?2 AND event_id < ?3`;
  // The index has them by status: four walks, merged as they go.
  const all = idsOf(db, `${STATUSES.map((status) => ofStatus(`'${status}'`)).join(' UNION ALL ')} ORDER BY id DESC`);
  const withStatus = idsOf(db, `${ofStatus('?4')} ORDER BY event_id DESC`);
  const named = idsOf(
    db,
    'SELECT id FROM events WHERE channel_id = ?1 AND event_name = ?4 AND id >= ?2 AND id < ?3 ORDER BY id DESC',
  );
  const oldest = db.prepare('SELECT min(event_id) AS id FROM deliveries WHERE webhook_id = ? AND status = ?');
  const row = db.prepare(`
    SELECT event_name, ext_ref_code, published_at, deliveries.state FROM deliveries JOIN events ON id = event_id
    WHERE event_id = ?1 AND webhook_id = ?2 AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR event_name = ?4)`);

  function walk(webhook: ListOwner, { event_name, status }: DeliveryFilter, range: Range): Iterable<number> {
    const { from, below } = boundsOf(range);
    if (status !== undefined && (event_name === undefined || status !== 'delivered'))
      return withStatus(webhook.id, { from, below }, status);
    if (event_name === undefined) return all(webhook.id, { from, below });
    // Of what was published before it had any, however much that is, nothing is its own.
    return named(webhook.channel_id, { from: Math.max(from, oldestOf(webhook.id)), below }, event_name);
  }

  function oldestOf(webhookId: number): number {
    const ids = STATUSES.map((status) => (oldest.get(webhookId, status) as { id: number | null }).id);
    return Math.min(...ids.map((id) => id ?? Number.MAX_SAFE_INTEGER));
  }

  return (webhook: ListOwner, filter: DeliveryFilter, range: Range): ListPart<ListedDelivery> => {
    const { event_name = null, status = null } = filter;
    const find = (eventId: number) => row.get(eventId, webhook.id, status, event_name) as ListedRow | undefined;
    return partOf(walk(webhook, filter, range), range.limit, { find, show: listed });
  };
}

function listed({ event_name, ext_ref_code, published_at, state }: ListedRow): ListedDelivery {
  return { event_name, ext_ref_code: ext_ref_code ?? undefined, published_at, delivery: JSON.parse(state) };
}
