import type { DatabaseSync } from 'node:sqlite';
import { meets } from '../domain/event.ts';
import {
  type Candidate,
  evolveRecovery,
  NO_RECOVERY,
  type RequestedRecovery,
  type StartedRecovery,
} from '../domain/recovery.ts';
import { erasedChannels } from './erasures.ts';
import { idIn, type Projection } from './projection.ts';
import { webhookQueries } from './webhooks.ts';

interface RecoveryRow {
  revision: number;
  state: string;
}

/** Recoveries by id and by webhook: what `evolveRecovery` returns, and the columns that queries need. */
export const recoveries: Projection = {
  name: 'recoveries',
  schema: `
    CREATE TABLE IF NOT EXISTS recoveries (
      id INTEGER PRIMARY KEY, webhook_id INTEGER NOT NULL, running INTEGER NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS recoveries_by_webhook ON recoveries (webhook_id, id);
    CREATE INDEX IF NOT EXISTS recoveries_running ON recoveries (id) WHERE running = 1;`,
  prepare(db) {
    const select = db.prepare('SELECT revision, state FROM recoveries WHERE id = ?');
    const upsert = db.prepare(`
      INSERT INTO recoveries (id, webhook_id, running, revision, state) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET running = excluded.running, revision = excluded.revision, state = excluded.state`);
    const erase = db.prepare("DELETE FROM recoveries WHERE state ->> '$.channel_id' = ?");
    const erased = erasedChannels(db);
    return (fact) => {
      switch (fact.type) {
        case 'ErasureRequested':
          erased.add(fact.data.channel_id);
          erase.run(fact.data.channel_id);
          return;
        case 'RecoveryRequested':
        case 'EventsRecovered':
        case 'RecoveryFinished': {
          if (erased.has(fact.data.channel_id)) return;
          const id = idIn(fact.stream);
          const row = select.get(id) as RecoveryRow | undefined;
          if (row && row.revision >= fact.revision) return;
          const recovery = evolveRecovery(row ? JSON.parse(row.state) : NO_RECOVERY, fact);
          if (recovery.status === 'none') return;
          const isRunning = recovery.status === 'running' ? 1 : 0;
          upsert.run(id, recovery.webhook_id, isRunning, fact.revision, JSON.stringify(recovery));
        }
      }
    };
  },
};

export type RecoveryQueries = ReturnType<typeof recoveryQueries>;

export function recoveryQueries(db: DatabaseSync) {
  const webhooks = webhookQueries(db);
  const byId = db.prepare('SELECT state FROM recoveries WHERE id = ? AND webhook_id = ?');
  const page = db.prepare('SELECT state FROM recoveries WHERE webhook_id = ? AND id < ? ORDER BY id DESC LIMIT ?');
  const running = db.prepare('SELECT id FROM recoveries WHERE running = 1 AND id > ? ORDER BY id LIMIT ?');
  const countRunning = db.prepare('SELECT count(*) AS count FROM recoveries WHERE webhook_id = ? AND running = 1');
  const largest = db.prepare('SELECT max(id) AS id FROM recoveries');
  const candidates = db.prepare(`
    SELECT events.id, events.event_name, events.state ->> '$.published_at' AS published_at,
      events.state ->> '$.webhook_id' AS webhook_id, events.kind, deliveries.status
    FROM events LEFT JOIN deliveries ON deliveries.event_id = events.id AND deliveries.webhook_id = ?1
    WHERE events.channel_id = ?2 AND events.id > ?3 AND events.id < ?4 ORDER BY events.id LIMIT ?5`);
  const unmade = db.prepare(`
    SELECT 1 FROM deliveries
    WHERE event_id = ? AND webhook_id = ? AND status = 'pending' AND state ->> '$.redelivery_id' = ?`);
  const recovery = (row: unknown) => JSON.parse((row as RecoveryRow).state) as StartedRecovery;
  return {
    byId: (webhookId: number, id: number): StartedRecovery | undefined => {
      const row = byId.get(id, webhookId);
      return row && recovery(row);
    },
    /** Newest first, from the first below `after`. */
    page: (webhookId: number, { after, limit }: { after?: number | undefined; limit: number }): StartedRecovery[] =>
      page.all(webhookId, after ?? Number.MAX_SAFE_INTEGER, limit).map(recovery),
    /** Ids of those that are not finished, ascending, from the first above `after`. */
    running: (after: number, limit: number): number[] =>
      (running.all(after, limit) as { id: number }[]).map(({ id }) => id),
    countRunning: (webhookId: number): number => (countRunning.get(webhookId) as { count: number }).count,
    /** Events of the channel that were published before the recovery was asked for, ids ascending, from the first above `after`. */
    candidates: ({ id, channel_id, webhook_id }: RequestedRecovery, after: number, limit: number): Candidate[] => {
      const rows = candidates.all(webhook_id, channel_id, after, id, limit) as unknown as CandidateRow[];
      // What it asks for today: what it asked for then, if it was there, it was sent.
      const webhook = { id: webhook_id, fields: webhooks.byId(webhook_id)?.fields ?? {} };
      return rows.map(({ id, event_name, published_at, status, kind, webhook_id: only }) => {
        const event = { event_name, ...(kind && { kind }), ...(only !== null && { webhook_id: only }) };
        return { id, published_at, status, isWanted: meets(event, webhook) };
      });
    },
    /** Whether the attempt at an event that this recovery asks for is yet to be made. */
    isUnmade: ({ id, webhook_id }: RequestedRecovery, eventId: number): boolean =>
      unmade.get(eventId, webhook_id, id) !== undefined,
    largestId: (): number => (largest.get() as { id: number | null }).id ?? 0,
  };
}

interface CandidateRow {
  readonly id: number;
  readonly event_name: string;
  readonly published_at: string;
  readonly webhook_id: number | null;
  readonly kind: 'operational' | null;
  readonly status: string | null;
}
