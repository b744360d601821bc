import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Delivery, type DeliveryChange, evolveDelivery, isPaused, openDelivery } from '../domain/delivery.ts';
import { isAskedFor } from '../domain/event-names.ts';
import type { RecordedFact } from '../domain/facts.ts';
import { logEntry, type NotificationLogEntry } from '../domain/notification-log.ts';
import { idIn, type Projection, type RecordedOf } from './projection.ts';
import { liveWebhooks, webhookQueries } from './webhooks.ts';

/** Deliveries changed at a time where a webhook or channel has many. */
const PAGE = 250;

/**
 * Deliveries by event and webhook, with the positions of the facts that changed each (`changed_at`), and what they wait for (`waits`). Opened by a publication for each webhook that is live at its place in the log, so this
 * projection runs after `webhooks` and `events`.
 */
export const deliveries: Projection = {
  name: 'deliveries',
  schema: `
    CREATE TABLE IF NOT EXISTS deliveries (
      event_id INTEGER NOT NULL, webhook_id INTEGER NOT NULL, channel_id INTEGER NOT NULL,
      due_ms INTEGER, position INTEGER NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL,
      changed_at TEXT NOT NULL DEFAULT '', waits INTEGER,
      PRIMARY KEY (event_id, webhook_id)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_ms, event_id, webhook_id, position) WHERE due_ms IS NOT NULL;
    CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries (channel_id, webhook_id) WHERE due_ms IS NOT NULL;
    CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (waits, webhook_id, event_id) WHERE waits IS NOT NULL;`,
  prepare(db) {
    const webhooks = liveWebhooks(webhookQueries(db));
    const open = opener(db, webhooks);
    const { attempted, pause, resume, endOfWebhook, endOfChannel } = changers(db);
    return (fact) => {
      switch (fact.type) {
        case 'EventPublished':
          open(fact);
          return;
        case 'DeliveryAttempted':
          attempted(fact);
          return;
        case 'WebhookPaused':
          pause(fact);
          break;
        case 'WebhookResumed':
          resume(fact);
          break;
        case 'WebhookDeleted':
          endOfWebhook(fact);
          break;
        case 'ChannelDeleted':
          endOfChannel(fact);
      }
      // Any other fact may be one of a webhook.
      webhooks.forget();
    };
  },
};

function opener(db: DatabaseSync, webhooks: ReturnType<typeof liveWebhooks>) {
  const publishedAt = db.prepare('SELECT position FROM events WHERE id = ?');
  const insert = db.prepare(`
    INSERT INTO deliveries (event_id, webhook_id, channel_id, due_ms, waits, position, revision, state)
    VALUES (?, ?, ?, ?, ?, ?, -1, ?) ON CONFLICT DO NOTHING`);
  return ({ data: event, position }: RecordedOf<'EventPublished'>) => {
    // The log may have a publication twice: only the first meets webhooks.
    if ((publishedAt.get(event.id) as { position: number } | undefined)?.position !== position) return;
    for (const page of webhooks.pages(event.channel_id)) {
      for (const webhook of page) {
        if (!isAskedFor(webhook.fields.event_names, event.event_name)) continue;
        const delivery = openDelivery(event, webhook);
        const times = [dueMs(delivery), waitsFor(delivery)] as const;
        insert.run(event.id, webhook.id, event.channel_id, ...times, position, JSON.stringify(delivery));
      }
    }
  };
}

function changers(db: DatabaseSync) {
  const select = db.prepare('SELECT rowid, revision, state FROM deliveries WHERE event_id = ? AND webhook_id = ?');
  const dueOfWebhook = rows(
    'channel_id = (SELECT channel_id FROM webhooks WHERE id = ?1) AND webhook_id = ?1 AND due_ms IS NOT NULL',
  );
  const pausedOfWebhook = rows(`waits = ${RESUMPTION} AND webhook_id = ?1`);
  const dueOfChannel = rows('channel_id = ?1 AND due_ms IS NOT NULL');
  const pausedOfChannel = rows(
    `waits = ${RESUMPTION} AND webhook_id IN (SELECT id FROM webhooks WHERE channel_id = ?1)`,
  );
  const update = db.prepare(
    "UPDATE deliveries SET due_ms = ?, waits = ?, revision = ?, state = ?, changed_at = changed_at || ? || ' ' WHERE rowid = ?",
  );

  function rows(which: string) {
    return db.prepare(`SELECT rowid, revision, state FROM deliveries WHERE ${which} LIMIT ${PAGE}`);
  }
  function change(
    { rowid, revision, state }: DeliveryRow,
    fact: DeliveryChange & Pick<RecordedFact, 'position'>,
    newRevision = revision,
  ) {
    const delivery = evolveDelivery(JSON.parse(state), fact);
    const times = [dueMs(delivery), waitsFor(delivery)] as const;
    update.run(...times, newRevision, JSON.stringify(delivery), String(fact.position), rowid);
  }
  /** None of `rows` is among them any more once it is changed. */
  function changeAll(rows: StatementSync, id: number, fact: DeliveryChange & Pick<RecordedFact, 'position'>) {
    let page: DeliveryRow[];
    do {
      page = rows.all(id) as unknown as DeliveryRow[];
      for (const row of page) change(row, fact);
    } while (page.length === PAGE);
  }
  return {
    attempted(fact: RecordedOf<'DeliveryAttempted'>) {
      const row = select.get(fact.data.event_id, fact.data.webhook_id) as DeliveryRow | undefined;
      if (row && row.revision < fact.revision) change(row, fact, fact.revision);
    },
    pause: (fact: RecordedOf<'WebhookPaused'>) => changeAll(dueOfWebhook, idIn(fact.stream), fact),
    resume: (fact: RecordedOf<'WebhookResumed'>) => changeAll(pausedOfWebhook, idIn(fact.stream), fact),
    endOfWebhook(fact: RecordedOf<'WebhookDeleted'>) {
      for (const rows of [dueOfWebhook, pausedOfWebhook]) changeAll(rows, idIn(fact.stream), fact);
    },
    endOfChannel(fact: RecordedOf<'ChannelDeleted'>) {
      for (const rows of [dueOfChannel, pausedOfChannel]) changeAll(rows, idIn(fact.stream), fact);
    },
  };
}

/** When the next attempt is due, in ms since the epoch; null unless the delivery is pending. */
function dueMs({ status, next_attempt_at }: Delivery): number | null {
  return status === 'pending' && next_attempt_at !== null ? Date.parse(next_attempt_at) : null;
}

/** What a delivery waits for: that its webhook is resumed; or, once it is, to be put on the queue, which knows nothing of it, and attempted. */
const RESUMPTION = 1;
const QUEUEING = 2;

function waitsFor(delivery: Delivery): number | null {
  if (isPaused(delivery)) return RESUMPTION;
  return delivery.status === 'pending' && delivery.resumed_in !== undefined ? QUEUEING : null;
}

interface DeliveryRow {
  rowid: number;
  revision: number;
  state: string;
}

/** A delivery that waits, and where in the log its event was published. */
export interface PendingDelivery {
  readonly event_id: number;
  readonly webhook_id: number;
  readonly channel_id: number;
  readonly due_ms: number;
  readonly position: number;
}

export type DeliveryQueries = ReturnType<typeof deliveryQueries>;

export function deliveryQueries(db: DatabaseSync) {
  const byId = db.prepare('SELECT state FROM deliveries WHERE event_id = ? AND webhook_id = ?');
  const log = db.prepare(
    'SELECT state FROM deliveries WHERE event_id = ? AND webhook_id > ? ORDER BY webhook_id LIMIT ?',
  );
  const skipped = db.prepare(`
    SELECT id FROM webhooks WHERE channel_id = ?1 AND id > ?2
      AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = ?3 AND webhook_id = webhooks.id)
    ORDER BY id LIMIT ?4`);
  const changes = db.prepare('SELECT changed_at FROM deliveries WHERE event_id = ? AND webhook_id = ?');
  const pendingColumns = 'event_id, webhook_id, channel_id, due_ms, position';
  const pending = db.prepare(`
    SELECT ${pendingColumns} FROM deliveries
    WHERE due_ms IS NOT NULL AND due_ms < ?1 AND (due_ms, event_id, webhook_id) > (?2, ?3, ?4)
    ORDER BY due_ms, event_id, webhook_id LIMIT ?5`);
  const nextResumed = db.prepare(`
    SELECT min(webhook_id) AS id FROM deliveries WHERE waits = ${QUEUEING} AND webhook_id > ?`);
  const resumed = db.prepare(`
    SELECT ${pendingColumns} FROM deliveries WHERE waits = ${QUEUEING} AND webhook_id = ? AND event_id > ?
    ORDER BY event_id LIMIT ?`);
  const countResumed = db.prepare(`
    SELECT count(*) AS count FROM deliveries
    WHERE waits = ${QUEUEING} AND webhook_id = ? AND event_id > ? AND event_id <= ?`);
  const count = db.prepare('SELECT count(*) AS count FROM deliveries WHERE due_ms IS NOT NULL AND position <= ?');
  const delivery = (row: unknown) => JSON.parse((row as DeliveryRow).state) as Delivery;
  return {
    /** @param upTo where in the log the last event lies whose deliveries count; absent: all count */
    countPending: (upTo = Number.MAX_SAFE_INTEGER): number => (count.get(upTo) as { count: number }).count,
    byId: (eventId: number, webhookId: number): Delivery | undefined => {
      const row = byId.get(eventId, webhookId);
      return row && delivery(row);
    },
    /** Positions of the facts that changed a delivery since it was opened, in log order. */
    changedAt: (eventId: number, webhookId: number): number[] => {
      const row = changes.get(eventId, webhookId) as { changed_at: string } | undefined;
      return (row?.changed_at.split(' ') ?? []).filter((text) => text !== '').map(Number);
    },
    /** A page of an event's notification log, webhook ids ascending, from the first above `after`. */
    notificationLog: (
      eventId: number,
      { after = 0, limit }: { after?: number | undefined; limit: number },
    ): NotificationLogEntry[] => log.all(eventId, after, limit).map((row) => logEntry(delivery(row))),
    /** A page of the ids of those webhooks that a channel has, had or got later and that an event was not sent to, ascending, from the first above `after`. */
    skippedIds: (eventId: number, channelId: number, { after, limit }: { after: number; limit: number }): number[] =>
      skipped.all(channelId, after, eventId, limit).map((row) => (row as { id: number }).id),
    /** A page of the deliveries due before a time (ms since the epoch), in the order they are due, from the first behind `after`. */
    pending: (
      beforeMs: number,
      { after, limit }: { after?: PendingDelivery | undefined; limit: number },
    ): PendingDelivery[] =>
      pending.all(
        beforeMs,
        after?.due_ms ?? -1,
        after?.event_id ?? 0,
        after?.webhook_id ?? 0,
        limit,
      ) as unknown as PendingDelivery[],
    /** Ids, ascending, of the webhooks that were resumed and have deliveries that nobody has attempted since. */
    *resumedWebhooks(): Generator<number> {
      let id: number | null = 0;
      for (;;) {
        id = (nextResumed.get(id) as { id: number | null }).id;
        if (id === null) return;
        yield id;
      }
    },
    /** A page of the deliveries of a webhook that was resumed that nobody has attempted since, event ids ascending, from the first above `after`. */
    resumed: (webhookId: number, after: number, limit: number): PendingDelivery[] =>
      resumed.all(webhookId, after, limit) as unknown as PendingDelivery[],
    /** How many of these have an event id above `after`, up to `upTo`. */
    countResumed: (webhookId: number, after: number, upTo = Number.MAX_SAFE_INTEGER): number =>
      (countResumed.get(webhookId, after, upTo) as { count: number }).count,
  };
}
