import type { DatabaseSync } from 'node:sqlite';
import { type Delivery, isPaused } from '../domain/delivery.ts';

export interface DeliveryRow {
  rowid: number;
  event_id: number;
  revision: number;
  state: string;
}

/** What a delivery waits for: that its webhook is resumed; or, once it is, to be put on the queue, which knows nothing of it, and attempted. */
export const RESUMPTION = 1;
export const QUEUEING = 2;

/** When the next attempt is due, in ms since the epoch; null unless the delivery is pending. */
export function dueMs({ status, next_attempt_at }: Delivery): number | null {
  return status === 'pending' && next_attempt_at !== null ? Date.parse(next_attempt_at) : null;
}

export function waitsFor(delivery: Delivery): number | null {
  if (isPaused(delivery)) return RESUMPTION;
  return delivery.status === 'pending' && delivery.resumed_in !== undefined ? QUEUEING : null;
}

/** Status, when it is due and what it waits for, as rows have them. */
const stateColumns = (delivery: Delivery) => [delivery.status, dueMs(delivery), waitsFor(delivery)] as const;

/** A row that is there, and what has become of it. */
interface ChangedRow {
  readonly rowid: number;
  readonly revision: number;
  readonly delivery: Delivery;
  /** Positions of the facts that have changed it, a space behind each. */
  readonly changedAt: string;
}

export function deliveryUpdate(db: DatabaseSync) {
  const update = db.prepare(`
    UPDATE deliveries SET status = ?, due_ms = ?, waits = ?, revision = ?, state = ?, changed_at = changed_at || ?
    WHERE rowid = ?`);
  return ({ rowid, revision, delivery, changedAt }: ChangedRow): void => {
    update.run(...stateColumns(delivery), revision, JSON.stringify(delivery), changedAt, rowid);
  };
}

/** A delivery as the facts of a batch have made it so far. */
export interface HeldDelivery {
  /** Undefined where this batch has opened it. */
  readonly rowid: number | undefined;
  readonly channelId: number;
  /** Of the publication. */
  readonly position: number;
  delivery: Delivery;
  revision: number;
  changedAt: string;
}

/** How many are held before they are written: an event may have thousands, and those that are left at the end are written in one go. */
const HELD = 4_096;

export type HeldDeliveries = ReturnType<typeof heldDeliveries>;

/**
 * Deliveries that a batch opens and changes, held until its end, or until rows are asked for: where the log is read from its beginning most are opened and over within one batch, and each then is
 * one row written once.
 */
export function heldDeliveries(db: DatabaseSync, atEnd: (write: () => void) => void) {
  const select = db.prepare(
    'SELECT rowid, channel_id, position, revision, state FROM deliveries WHERE event_id = ? AND webhook_id = ?',
  );
  const insert = db.prepare(`
    INSERT INTO deliveries (event_id, webhook_id, channel_id, status, due_ms, waits, position, revision, state, changed_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`);
  const update = deliveryUpdate(db);
  const held = new Map<string, HeldDelivery>();

  function hold(row: HeldDelivery): HeldDelivery {
    if (held.size >= HELD) write();
    held.set(nameOf(row.delivery.event_id, row.delivery.webhook_id), row);
    return row;
  }
  function write() {
    for (const row of held.values()) {
      const { rowid, delivery } = row;
      if (rowid !== undefined) {
        if (row.changedAt !== '') update({ ...row, rowid });
      } else {
        const ids = [delivery.event_id, delivery.webhook_id, row.channelId] as const;
        insert.run(
          ...ids,
          ...stateColumns(delivery),
          row.position,
          row.revision,
          JSON.stringify(delivery),
          row.changedAt,
        );
      }
    }
    held.clear();
  }
  atEnd(write);

  return {
    open(delivery: Delivery, channelId: number, position: number): void {
      hold({ rowid: undefined, channelId, position, delivery, revision: -1, changedAt: '' });
    },
    find(eventId: number, webhookId: number): HeldDelivery | undefined {
      const known = held.get(nameOf(eventId, webhookId));
      if (known) return known;
      const row = select.get(eventId, webhookId) as FoundRow | undefined;
      if (!row) return undefined;
      const { rowid, channel_id: channelId, position, revision, state } = row;
      return hold({ rowid, channelId, position, delivery: JSON.parse(state), revision, changedAt: '' });
    },
    change(row: HeldDelivery, delivery: Delivery, { position, revision }: { position: number; revision: number }) {
      row.delivery = delivery;
      row.revision = revision;
      row.changedAt += `${position} `;
    },
    /** Writes what is held: from then on the rows tell all. */
    write,
  };
}

type FoundRow = DeliveryRow & { readonly channel_id: number; readonly position: number };

function nameOf(eventId: number, webhookId: number): string {
  return `${eventId}-${webhookId}`;
}
