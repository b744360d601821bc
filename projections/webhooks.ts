import type { DatabaseSync } from 'node:sqlite';
import { evolveWebhook, type LiveWebhook, NO_WEBHOOK, type Webhook } from '../domain/webhook.ts';
import { idIn, type Projection } from './projection.ts';

interface WebhookRow {
  revision: number;
  position: number;
  state: string;
}

/** Webhooks by id and by channel: what `evolveWebhook` returns, and the columns that queries need. */
export const webhooks: Projection = {
  name: 'webhooks',
  schema: `
    CREATE TABLE IF NOT EXISTS webhooks (
      id INTEGER PRIMARY KEY, channel_id INTEGER NOT NULL, live INTEGER NOT NULL, revision INTEGER NOT NULL,
      position INTEGER NOT NULL, state TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS webhooks_by_channel ON webhooks (channel_id, id) WHERE live = 1;
    CREATE INDEX IF NOT EXISTS webhooks_of_channel ON webhooks (channel_id, id);
    CREATE TABLE IF NOT EXISTS ended_channels (id INTEGER PRIMARY KEY, erased INTEGER NOT NULL DEFAULT 0) STRICT;`,
  prepare(db) {
    const select = db.prepare('SELECT revision, state FROM webhooks WHERE id = ?');
    const endChannel = db.prepare('INSERT INTO ended_channels (id) VALUES (?) ON CONFLICT DO NOTHING');
    const eraseChannel = db.prepare(
      'INSERT INTO ended_channels VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET erased = 1',
    );
    const eraseAll = db.prepare('DELETE FROM webhooks WHERE channel_id = ?');
    const isErased = db.prepare('SELECT 1 FROM ended_channels WHERE id = ? AND erased = 1');
    const endAll = db.prepare('UPDATE webhooks SET live = 0 WHERE channel_id = ? AND live = 1');
    // Nothing that reaches the log behind the deletion of its channel brings a webhook to life.
    const upsert = db.prepare(`
      INSERT INTO webhooks (id, channel_id, live, revision, position, state)
      VALUES (?1, ?2, ?3 AND ?2 NOT IN (SELECT id FROM ended_channels), ?4, ?5, ?6)
      ON CONFLICT (id) DO UPDATE SET
        live = excluded.live, revision = excluded.revision, position = excluded.position, state = excluded.state`);
    return (fact) => {
      switch (fact.type) {
        case 'WebhookCreated':
        case 'WebhookUpdated':
        case 'WebhookPaused':
        case 'WebhookResumed':
        case 'SubscriberKeyRotated':
        case 'SigningSecretRotated':
        case 'WebhookDeleted': {
          const id = idIn(fact.stream);
          const row = select.get(id) as WebhookRow | undefined;
          if (row && row.revision >= fact.revision) return;
          const webhook = evolveWebhook(row ? (JSON.parse(row.state) as Webhook) : NO_WEBHOOK, fact);
          if (webhook.status === 'none' || (!row && isErased.get(webhook.channel_id))) return;
          const live = webhook.status === 'live' ? 1 : 0;
          upsert.run(id, webhook.channel_id, live, fact.revision, fact.position, JSON.stringify(webhook));
          return;
        }
        case 'ChannelDeleted': {
          const channelId = idIn(fact.stream);
          endChannel.run(channelId);
          endAll.run(channelId);
          return;
        }
        case 'ErasureRequested':
          eraseChannel.run(fact.data.channel_id);
          eraseAll.run(fact.data.channel_id);
      }
    };
  },
};

/** A live webhook, the revision of its stream, which names the version of its settings, and where in the log they were made so. */
export type WebhookView = LiveWebhook & { readonly revision: number; readonly position: number };

export type WebhookQueries = ReturnType<typeof webhookQueries>;

/** Queries over the webhooks that live, in channels that live. */
export function webhookQueries(db: DatabaseSync) {
  const byId = db.prepare('SELECT state, revision, position FROM webhooks WHERE id = ? AND live = 1');
  const page = db.prepare(
    'SELECT state, revision, position FROM webhooks WHERE channel_id = ? AND live = 1 AND id > ? ORDER BY id LIMIT ?',
  );
  const largest = db.prepare('SELECT max(id) AS id FROM webhooks');
  const view = (row: unknown): WebhookView => {
    const { revision, position, state } = row as WebhookRow;
    return { ...(JSON.parse(state) as LiveWebhook), revision, position };
  };
  return {
    byId: (id: number): WebhookView | undefined => {
      const row = byId.get(id);
      return row && view(row);
    },
    /** Ids ascending, from the first above `after`. */
    page: (channelId: number, { after = 0, limit }: { after?: number | undefined; limit: number }): WebhookView[] =>
      page.all(channelId, after, limit).map(view),
    largestId: (): number => (largest.get() as { id: number | null }).id ?? 0,
  };
}

/** Webhooks read at a time where a channel has many. */
const PAGE = 250;
/** Webhooks that are kept, of all channels together. */
const KEPT = 10_000;

/**
 * The live webhooks of channels, kept for as long as nothing changes them: who writes them says so, with `forget`. Those of a channel that has many are read anew
 * each time.
 */
export function liveWebhooks({ page }: Pick<WebhookQueries, 'page'>) {
  const kept = new Map<number, readonly WebhookView[]>();
  let size = 0;

  function forget() {
    if (size > 0) kept.clear();
    size = 0;
  }
  function keep(channelId: number, webhooks: readonly WebhookView[]) {
    if (size > KEPT) forget();
    kept.set(channelId, webhooks);
    size += 1 + webhooks.length;
  }

  return {
    forget,
    /** Ids ascending, a page after the other. */
    *pages(channelId: number): Generator<readonly WebhookView[]> {
      const known = kept.get(channelId);
      if (known) {
        yield known;
        return;
      }
      let webhooks: WebhookView[] = page(channelId, { limit: PAGE });
      if (webhooks.length < PAGE) keep(channelId, webhooks);
      yield webhooks;
      while (webhooks.length === PAGE) {
        webhooks = page(channelId, { after: webhooks.at(-1)?.id, limit: PAGE });
        yield webhooks;
      }
    },
  };
}
