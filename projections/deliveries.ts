import type { DatabaseSync } from 'node:sqlite';
import { type Delivery, type DeliveryChange, evolveDelivery, openDelivery, openLate } from '../domain/delivery.ts';
import { isFor, meets, type PublishedEvent } from '../domain/event.ts';
import type { RecordedFact } from '../domain/facts.ts';
import { logEntry, type NotificationLogEntry } from '../domain/notification-log.ts';
import { recoveredIn } from '../domain/recovery.ts';
import {
  type DeliveryRow,
  deliveryUpdate,
  dueMs,
  type HeldDeliveries,
  heldDeliveries,
  QUEUEING,
  RESUMPTION,
  waitsFor,
} from './delivery-rows.ts';
import { erasedChannels } from './erasures.ts';
import { failureNoter } from './happenings.ts';
import { idIn, type Projection, type RecordedOf } from './projection.ts';
import { ATTEMPT_COUNTS, attemptCounter } from './stats.ts';
import { liveWebhooks, webhookQueries } from './webhooks.ts';

/** Due deliveries are counted up to this: a millisecond or two of whoever asks. */
const MOST_DUE = 100_000;
/** Deliveries changed at a time where a webhook or channel has many. */
const PAGE = 250;

/**
 * Deliveries by event and webhook, with the positions of the facts that changed each (`changed_at`) and of the one that put it on the queue (`position`), and what they wait for (`waits`).
 * Opened by a publication for each webhook that is live at its place in the log and that it is for, or by a redelivery to one that it did not meet, so this projection runs after
 * `events`, and before `webhooks`, which forgets those that are erased. What attempts come to is counted beside them.
 */
export const deliveries: Projection = {
  name: 'deliveries',
  schema: `
    CREATE TABLE IF NOT EXISTS deliveries (
      event_id INTEGER NOT NULL, webhook_id INTEGER NOT NULL, channel_id INTEGER NOT NULL,
      status TEXT NOT NULL, due_ms INTEGER, position INTEGER NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL,
      changed_at TEXT NOT NULL DEFAULT '', waits INTEGER,
      PRIMARY KEY (event_id, webhook_id)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_ms, event_id, webhook_id, position) WHERE due_ms IS NOT NULL;
    CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (waits, webhook_id, event_id) WHERE waits IS NOT NULL;
    CREATE INDEX IF NOT EXISTS deliveries_by_webhook ON deliveries (webhook_id, status, event_id);
    CREATE INDEX IF NOT EXISTS deliveries_by_channel ON deliveries (channel_id, status, event_id);${ATTEMPT_COUNTS}`,
  prepare(db, atEnd) {
    const webhooks = liveWebhooks(webhookQueries(db));
    const rows = heldDeliveries(db, atEnd);
    const open = opener(db, webhooks, rows);
    const counter = attemptCounter(db, atEnd);
    const attempted = attemptNoter(db, rows, counter.count);
    const { ofWebhook, endOfChannel } = pendingChanger(db);
    const eraseCounts = countsEraser(db, counter.forget);
    const expireCounts = countsEraser(db, counter.forgetUntil);
    const erase = db.prepare(`
      DELETE FROM deliveries WHERE channel_id = ? AND status IN ('pending', 'delivered', 'failed', 'cancelled') AND event_id < ?`);
    const expire = db.prepare(`
      DELETE FROM deliveries WHERE event_id >= ? AND event_id < ? AND event_id NOT IN (SELECT value FROM json_each(?))`);
    const erased = erasedChannels(db);
    const redeliver = redeliverer(db);
    return (fact) => {
      switch (fact.type) {
        case 'EventPublished':
          open(fact);
          return;
        case 'DeliveryAttempted':
          if (erased.size === 0 || !erased.has(idIn(fact.stream))) attempted(fact);
          return;
      }
      // All others ask for rows.
      rows.write();
      switch (fact.type) {
        case 'ErasureRequested':
          erased.add(fact.data.channel_id);
          eraseCounts(fact.data.channel_id);
          break;
        case 'StreamsErased':
          // Of those whose creation is not in the log any more.
          for (const { stream } of fact.data.streams) if (stream.startsWith('webhook-')) counter.forget(idIn(stream));
          return;
        case 'EventsErased':
          erase.run(fact.data.channel_id, fact.data.below);
          return;
        case 'EventsExpired':
          expire.run(fact.data.from, fact.data.below, JSON.stringify(fact.data.kept));
          return;
        case 'StreamsTruncated':
          if (fact.data.counted_until !== null) expireCounts(fact.data.channel_id, Date.parse(fact.data.counted_until));
          return;
        case 'RedeliveryRequested':
          if (erased.has(fact.data.channel_id)) return;
          redeliver(fact, fact.data, fact.data.webhook_id);
          return;
        case 'EventsRecovered': {
          const { channel_id, webhook_id } = fact.data;
          if (erased.has(channel_id)) return;
          for (const event_id of recoveredIn(fact)) redeliver(fact, { event_id, channel_id }, webhook_id);
          return;
        }
        case 'WebhookPaused':
        case 'WebhookResumed':
        case 'WebhookDeleted':
          ofWebhook(fact);
          break;
        case 'ChannelDeleted':
          endOfChannel(fact);
      }
      // Any other fact may be one of a webhook.
      webhooks.forget();
    };
  },
};

function opener(db: DatabaseSync, webhooks: ReturnType<typeof liveWebhooks>, rows: HeldDeliveries) {
  const publishedAt = db.prepare('SELECT position FROM events WHERE id = ?');
  return ({ data: event, position }: RecordedOf<'EventPublished'>) => {
    // The log may have a publication twice: only the first meets webhooks.
    if ((publishedAt.get(event.id) as { position: number } | undefined)?.position !== position) return;
    for (const page of webhooks.pages(event.channel_id)) {
      for (const webhook of page) {
        if (meets(event, webhook)) rows.open(openDelivery(event, webhook), event.channel_id, position);
      }
    }
  };
}

function attemptNoter(
  db: DatabaseSync,
  rows: HeldDeliveries,
  count: ReturnType<typeof attemptCounter>['count'],
): (fact: RecordedOf<'DeliveryAttempted'>) => void {
  const noteFailure = failureNoter(db);
  return (fact) => {
    // Also one whose delivery is forgotten: whether it still is known then depends on what the log still has.
    count(fact);
    const row = rows.find(fact.data.event_id, fact.data.webhook_id);
    if (!row || row.revision >= fact.revision) return;
    const before = row.delivery;
    const after = evolveDelivery(before, fact);
    rows.change(row, after, fact);
    noteFailure(before, after, fact);
  };
}

type Changing = DeliveryChange & Pick<RecordedFact, 'position'>;

/** Changes all that is pending of a webhook or a channel. */
function pendingChanger(db: DatabaseSync) {
  const pendingOfWebhook = db.prepare(`
    SELECT rowid, event_id, revision, state FROM deliveries
    WHERE webhook_id = ? AND status = 'pending' AND event_id > ? ORDER BY event_id LIMIT ${PAGE}`);
  const pendingOfChannel = db.prepare(`
    SELECT rowid, event_id, revision, state FROM deliveries
    WHERE channel_id = ? AND status = 'pending' LIMIT ${PAGE}`);
  const update = deliveryUpdate(db);

  /** @param pageBehind the next of them, behind the last that was changed */
  function changeAll(fact: Changing, pageBehind: (last: DeliveryRow | undefined) => unknown[]) {
    let page: DeliveryRow[] = [];
    do {
      page = pageBehind(page.at(-1)) as DeliveryRow[];
      for (const { rowid, revision, state } of page) {
        const delivery = evolveDelivery(JSON.parse(state) as Delivery, fact);
        update({ rowid, revision, delivery, changedAt: `${fact.position} ` });
      }
    } while (page.length === PAGE);
  }
  return {
    ofWebhook: (fact: RecordedOf<'WebhookPaused' | 'WebhookResumed' | 'WebhookDeleted'>) =>
      changeAll(fact, (last) => pendingOfWebhook.all(idIn(fact.stream), last?.event_id ?? 0)),
    endOfChannel: (fact: RecordedOf<'ChannelDeleted'>) =>
      changeAll(fact, () => pendingOfChannel.all(idIn(fact.stream))),
  };
}

/** Forgets what was counted of each webhook of a channel. */
function countsEraser<A extends unknown[]>(db: DatabaseSync, forget: (webhookId: number, ...args: A) => void) {
  const webhooks = db.prepare('SELECT id FROM webhooks WHERE channel_id = ?');
  return (channelId: number, ...args: A) => {
    for (const row of webhooks.all(channelId)) forget((row as { id: number }).id, ...args);
  };
}

type Requested = RecordedOf<'RedeliveryRequested' | 'EventsRecovered'>;

/** Deliveries of an event again, to webhooks that are live at this place in the log. */
function redeliverer(db: DatabaseSync) {
  const webhooks = webhookQueries(db);
  const event = db.prepare('SELECT state FROM events WHERE id = ? AND channel_id = ?');
  const before = db.prepare('SELECT webhook_id FROM deliveries WHERE event_id = ?');
  const select = db.prepare('SELECT state FROM deliveries WHERE event_id = ? AND webhook_id = ?');
  const upsert = db.prepare(`
    INSERT INTO deliveries (event_id, webhook_id, channel_id, status, due_ms, position, revision, state, changed_at, waits)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, -1, ?7, ?6 || ' ', ?8)
    ON CONFLICT (event_id, webhook_id) DO UPDATE SET
      status = ?4, due_ms = ?5, waits = ?8, position = ?6, state = ?7, changed_at = changed_at || ?6 || ' '`);

  function redeliverTo(webhookId: number, published: PublishedEvent, fact: Requested) {
    const webhook = webhooks.byId(webhookId);
    if (webhook?.channel_id !== published.channel_id || !isFor(published, webhook)) return;
    const row = select.get(published.id, webhookId) as Pick<DeliveryRow, 'state'> | undefined;
    const known = row ? (JSON.parse(row.state) as Delivery) : openLate(published, webhook);
    const delivery = evolveDelivery(known, fact);
    if (delivery === known) return;
    const { id, channel_id } = published;
    // Also what was over before its webhook was paused waits until that is resumed.
    const [due, waits] = webhook.pause === null ? [dueMs(delivery), waitsFor(delivery)] : [null, RESUMPTION];
    upsert.run(id, webhookId, channel_id, delivery.status, due, fact.position, JSON.stringify(delivery), waits);
  }

  return (
    fact: Requested,
    { event_id, channel_id }: { readonly event_id: number; readonly channel_id: number },
    webhook_id: number | undefined,
  ) => {
    const row = event.get(event_id, channel_id) as { state: string } | undefined;
    if (!row) return;
    const published = JSON.parse(row.state) as PublishedEvent;
    const all = () => (before.all(event_id) as { webhook_id: number }[]).map((known) => known.webhook_id);
    for (const id of webhook_id === undefined ? all() : [webhook_id]) redeliverTo(id, published, fact);
  };
}

/** A delivery that waits, and where in the log the fact lies that put it on the queue: the publication, or the last request that it be delivered again. */
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
  const live = db.prepare(`
    SELECT 1 FROM deliveries JOIN webhooks ON webhooks.id = deliveries.webhook_id AND webhooks.live = 1
    WHERE event_id = ? LIMIT 1`);
  const redelivery = db.prepare(`
    SELECT 1 FROM deliveries, json_each(deliveries.state, '$.redeliveries') AS requested
    WHERE event_id = ? AND requested.value ->> 'id' = ? LIMIT 1`);
  const count = db.prepare('SELECT count(*) AS count FROM deliveries WHERE due_ms IS NOT NULL AND position <= ?');
  const due = 'FROM deliveries WHERE due_ms IS NOT NULL AND due_ms <= ?';
  const hasMostDue = db.prepare(`SELECT 1 ${due} LIMIT 1 OFFSET ${MOST_DUE}`);
  const countDue = db.prepare(`SELECT count(*) AS count ${due}`);
  const oldestDue = db.prepare('SELECT min(due_ms) AS due_ms FROM deliveries WHERE due_ms IS NOT NULL');
  const delivery = (row: unknown) => JSON.parse((row as DeliveryRow).state) as Delivery;
  return {
    /** @param upTo where in the log the last event lies whose deliveries count; absent: all count */
    countPending: (upTo = Number.MAX_SAFE_INTEGER): number => (count.get(upTo) as { count: number }).count,
    /** How many deliveries are due at a time, in ms since the epoch; MOST_DUE where there are more. */
    countDue: (atMs: number): number =>
      hasMostDue.get(atMs) ? MOST_DUE : (countDue.get(atMs) as { count: number }).count,
    /** When the next one is due, or has been, in ms since the epoch; undefined where there is none. */
    oldestDueMs: (): number | undefined => (oldestDue.get() as { due_ms: number | null }).due_ms ?? undefined,
    byId: (eventId: number, webhookId: number): Delivery | undefined => {
      const row = byId.get(eventId, webhookId);
      return row && delivery(row);
    },
    /** Whether a delivery was opened by a request that the event be delivered again, and not by the publication. */
    isLate: (eventId: number, webhookId: number): boolean => {
      const row = byId.get(eventId, webhookId);
      return row !== undefined && delivery(row).opened_late === true;
    },
    /** Whether an event has a webhook that is still there. */
    hasLiveWebhook: (eventId: number): boolean => live.get(eventId) !== undefined,
    /** Whether a request that an event be delivered again has reached a delivery of it. */
    hasRedelivery: (eventId: number, id: number): boolean => redelivery.get(eventId, id) !== undefined,
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
