import type { DatabaseSync } from 'node:sqlite';
import type { Delivery } from '../domain/delivery.ts';
import type { PublishedEvent } from '../domain/event.ts';
import type { RecordedFact } from '../domain/facts.ts';
import { beganToFail, deliveryFailed, FAILING_TOLD_MS, type Happening, wasAutoPaused } from '../domain/happening.ts';
import { firstIdAt, followingId } from '../domain/ids.ts';
import type { LiveWebhook } from '../domain/webhook.ts';
import { idIn, type Projection, type RecordedOf } from './projection.ts';

const IS_OPERATIONAL = "state ->> '$.fields.kind' = 'operational'";

/** The ids of what happened, which are those of the events that tell of it, and the tables beside them. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS happenings (
    event_id INTEGER PRIMARY KEY, cause TEXT NOT NULL, event_name TEXT NOT NULL, channel_id INTEGER NOT NULL, data TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS happenings_by_cause ON happenings (cause, event_name);
  CREATE INDEX IF NOT EXISTS happenings_of_channel ON happenings (channel_id);
  CREATE TABLE IF NOT EXISTS last_happening (one INTEGER PRIMARY KEY CHECK (one = 1), event_id INTEGER NOT NULL) STRICT;
  INSERT INTO last_happening VALUES (1, 0) ON CONFLICT DO NOTHING;
  CREATE TABLE IF NOT EXISTS failing_told (webhook_id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS operational_webhooks ON webhooks (channel_id) WHERE live = 1 AND ${IS_OPERATIONAL};`;

/**
 * What operational webhooks are yet to be told of: noted at its place in the log, where the channel has one then, and gone once the log has the event that tells of it. The id of that event follows from the
 * log, so whoever tells, and however often, it is one event. After `webhooks`, `health` and `events`; deliveries that were given up are noted by `deliveries`.
 */
export const happenings: Projection = {
  name: 'happenings',
  schema: SCHEMA,
  prepare(db) {
    const note = happeningNoter(db);
    const failing = db.prepare('SELECT 1 FROM failing WHERE webhook_id = ? AND since = ?');
    const lastTold = db.prepare('SELECT at_ms FROM failing_told WHERE webhook_id = ?');
    const setTold = db.prepare('INSERT INTO failing_told VALUES (?1, ?2) ON CONFLICT DO UPDATE SET at_ms = ?2');
    const told = db.prepare('DELETE FROM happenings WHERE cause = ? AND event_name = ?');
    const expire = db.prepare('DELETE FROM happenings WHERE event_id >= ? AND event_id < ?');
    const forgetErased = db.prepare(`
      DELETE FROM failing_told WHERE 'webhook-' || webhook_id IN (SELECT stream FROM erased_streams WHERE channel_id = ?)`);
    const forgetTold = db.prepare(`
      DELETE FROM failing_told WHERE webhook_id IN (SELECT id FROM webhooks WHERE channel_id = ?)`);
    const endOfChannel = db.prepare('DELETE FROM happenings WHERE channel_id = ?');

    function attempted(fact: RecordedOf<'DeliveryAttempted'>) {
      const { webhook_id, outcome, at } = fact.data;
      if (outcome === 'delivered' || !failing.get(webhook_id, at)) return;
      const before = lastTold.get(webhook_id) as { at_ms: number } | undefined;
      if (before && fact.recordedAtMs - before.at_ms < FAILING_TOLD_MS) return;
      if (note(fact, webhook_id, (webhook) => beganToFail(webhook, fact.data))) {
        setTold.run(webhook_id, fact.recordedAtMs);
      }
    }
    /** What told which ids were given may be gone from the log: from here on they are larger than any that was given. */
    function skipToNow({ recordedAtMs }: RecordedFact) {
      note.skipTo(firstIdAt(recordedAtMs));
    }
    function erased(fact: RecordedOf<'ErasureRequested' | 'StreamsErased'>) {
      forgetErased.run(fact.data.channel_id);
      skipToNow(fact);
    }
    function truncated(fact: RecordedOf<'StreamsTruncated'>) {
      // What was told is told: without the attempts that go, a webhook seems to begin to fail where it went on.
      endOfChannel.run(fact.data.channel_id);
      forgetTold.run(fact.data.channel_id);
      for (const { webhook_id, at_ms } of fact.data.told) setTold.run(webhook_id, at_ms);
      skipToNow(fact);
    }
    return (fact) => {
      switch (fact.type) {
        case 'DeliveryAttempted':
          attempted(fact);
          return;
        case 'WebhookPaused':
          note(fact, idIn(fact.stream), (webhook) => wasAutoPaused(webhook, fact));
          return;
        case 'EventPublished':
          if (fact.data.kind === undefined) return;
          told.run(fact.metadata.$causationId, fact.data.event_name);
          note.skipTo(fact.data.id);
          return;
        case 'ChannelDeleted':
          endOfChannel.run(idIn(fact.stream));
          return;
        case 'ErasureRequested':
          endOfChannel.run(fact.data.channel_id);
          erased(fact);
          return;
        case 'StreamsErased':
          erased(fact);
          return;
        case 'EventsExpired':
          expire.run(fact.data.from, fact.data.below);
          return;
        case 'StreamsTruncated':
          truncated(fact);
      }
    };
  },
};

/** Notes what happened to a webhook, where it is no operational one and its channel has one that lives; @returns whether it did. */
export function happeningNoter(db: DatabaseSync) {
  const heardOf = db.prepare(`
    SELECT state FROM webhooks AS told WHERE id = ? AND live = 1 AND NOT coalesce(${IS_OPERATIONAL}, 0)
      AND EXISTS (SELECT 1 FROM webhooks WHERE channel_id = told.channel_id AND live = 1 AND ${IS_OPERATIONAL})`);
  const last = db.prepare('SELECT event_id FROM last_happening WHERE one = 1');
  const setLast = db.prepare('UPDATE last_happening SET event_id = ?1 WHERE one = 1 AND event_id < ?1');
  const insert = db.prepare('INSERT INTO happenings VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');

  function note(
    { id: cause, recordedAtMs }: RecordedFact,
    webhookId: number,
    happeningOf: (webhook: LiveWebhook) => Happening | undefined,
  ): boolean {
    const row = heardOf.get(webhookId) as { state: string } | undefined;
    const webhook = row && (JSON.parse(row.state) as LiveWebhook);
    const happening = webhook && happeningOf(webhook);
    if (!happening) return false;
    const id = followingId((last.get() as { event_id: number }).event_id, recordedAtMs);
    setLast.run(id);
    insert.run(id, cause, happening.event_name, webhook.channel_id, JSON.stringify(happening.data));
    return true;
  }
  /** What is noted next has a larger id. */
  return Object.assign(note, { skipTo: (id: number) => void setLast.run(id) });
}

/** Notes deliveries that were given up. */
export function failureNoter(db: DatabaseSync) {
  const note = happeningNoter(db);
  const event = db.prepare('SELECT state FROM events WHERE id = ?');
  return (before: Delivery, after: Delivery, fact: RecordedOf<'DeliveryAttempted'>): void => {
    if (before.status !== 'pending' || after.status !== 'failed') return;
    note(fact, after.webhook_id, (webhook) => {
      const { state } = event.get(after.event_id) as { state: string };
      return deliveryFailed(webhook, after, JSON.parse(state) as PublishedEvent, fact.data);
    });
  };
}

/** What is yet to be told, and the id of the fact that made it happen. */
export interface Untold {
  readonly event_id: number;
  readonly channel_id: number;
  readonly cause: string;
  readonly happening: Happening;
}

type UntoldRow = Omit<Untold, 'happening'> & Pick<Happening, 'event_name'> & { readonly data: string };

export type HappeningQueries = ReturnType<typeof happeningQueries>;

export function happeningQueries(db: DatabaseSync) {
  const page = db.prepare(`
    SELECT event_id, channel_id, cause, event_name, data FROM happenings WHERE event_id > ? ORDER BY event_id LIMIT ?`);
  const one = db.prepare('SELECT 1 FROM happenings WHERE channel_id = ? LIMIT 1');
  return {
    /** Whether something is yet to be told of a channel. */
    isUntold: (channelId: number): boolean => one.get(channelId) !== undefined,
    /** A page of what is yet to be told, in log order, from the first event id above `after`. */
    untold: (after: number, limit: number): Untold[] =>
      page.all(after, limit).map((row) => {
        const { event_name, data, ...ids } = row as unknown as UntoldRow;
        return { ...ids, happening: { event_name, data: JSON.parse(data) } };
      }),
  };
}
