import type { DatabaseSync } from 'node:sqlite';
import { idIn, type Projection, type RecordedOf } from './projection.ts';

/**
 * Webhooks whose last attempt failed, and since when each has. Written only when that changes: all that fail are kept in mind, so that an attempt that changes
 * nothing costs nothing. Before `webhooks`, which knows those that live, and forgets those that are erased.
 */
export const health: Projection = {
  name: 'health',
  schema: 'CREATE TABLE IF NOT EXISTS failing (webhook_id INTEGER PRIMARY KEY, since TEXT NOT NULL) STRICT;',
  prepare(db) {
    const failing = new Set(db.prepare('SELECT webhook_id FROM failing').all().map(webhookIn));
    const begin = db.prepare(`
      INSERT INTO failing SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM webhooks WHERE id = ?1 AND live = 1)`);
    const end = db.prepare('DELETE FROM failing WHERE webhook_id = ?');
    const endUntil = db.prepare(`
      DELETE FROM failing WHERE webhook_id IN (SELECT id FROM webhooks WHERE channel_id = ?) AND since <= ? RETURNING webhook_id`);
    const endOfChannel = db.prepare(`
      DELETE FROM failing WHERE webhook_id IN (SELECT id FROM webhooks WHERE channel_id = ?) RETURNING webhook_id`);

    function attempted({ data: { webhook_id, outcome, at } }: RecordedOf<'DeliveryAttempted'>) {
      if (outcome === 'delivered') forget(webhook_id);
      else if (!failing.has(webhook_id) && begin.run(webhook_id, at).changes > 0) failing.add(webhook_id);
    }
    /** Of those that began to fail before the end of what goes, the fact says which still do: what told it, or told that they do not, may be gone. */
    function truncated({ data }: RecordedOf<'StreamsTruncated'>) {
      if (data.counted_until === null) return;
      for (const row of endUntil.all(data.channel_id, data.counted_until)) failing.delete(webhookIn(row));
      for (const { webhook_id, since } of data.failing) {
        end.run(webhook_id);
        if (begin.run(webhook_id, since).changes > 0) failing.add(webhook_id);
      }
    }
    function forget(webhookId: number) {
      if (failing.delete(webhookId)) end.run(webhookId);
    }
    function forgetAll(channelId: number) {
      for (const row of endOfChannel.all(channelId)) failing.delete(webhookIn(row));
    }
    return (fact) => {
      switch (fact.type) {
        case 'DeliveryAttempted':
          attempted(fact);
          return;
        case 'StreamsTruncated':
          truncated(fact);
          return;
        case 'WebhookDeleted':
          forget(idIn(fact.stream));
          return;
        case 'ChannelDeleted':
          forgetAll(idIn(fact.stream));
          return;
        case 'ErasureRequested':
          forgetAll(fact.data.channel_id);
      }
    };
  },
};

const webhookIn = (row: unknown): number => (row as { webhook_id: number }).webhook_id;

export type HealthQueries = ReturnType<typeof healthQueries>;

export function healthQueries(db: DatabaseSync) {
  const since = db.prepare('SELECT since FROM failing WHERE webhook_id = ?');
  return {
    /** When the first attempt failed since one succeeded: ISO 8601, UTC; null where the last one succeeded, or there was none. */
    failingSince: (webhookId: number): string | null =>
      (since.get(webhookId) as { since: string } | undefined)?.since ?? null,
  };
}
