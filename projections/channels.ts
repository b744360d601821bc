import type { DatabaseSync } from 'node:sqlite';
import {
  type Channel,
  type ErasedChannel,
  evolveChannel,
  type KeyOfChannel,
  type LiveChannel,
  NO_CHANNEL,
} from '../domain/channel.ts';
import { idIn, type Projection } from './projection.ts';

/** In place of a revision: nothing that its stream still holds, or will hold, changes an erased channel. */
const ERASED = Number.MAX_SAFE_INTEGER;

interface ChannelRow {
  revision: number;
  state: string;
}

/** Channels by id and by guid: what `evolveChannel` returns, and the columns that queries need. */
export const channels: Projection = {
  name: 'channels',
  schema: `
    CREATE TABLE IF NOT EXISTS channels (
      id INTEGER PRIMARY KEY, live INTEGER NOT NULL, guid TEXT, revision INTEGER NOT NULL, state TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX IF NOT EXISTS channels_by_guid ON channels (guid) WHERE live = 1 AND guid IS NOT NULL;
    CREATE INDEX IF NOT EXISTS channels_live ON channels (id) WHERE live = 1;`,
  prepare(db) {
    const select = db.prepare('SELECT revision, state FROM channels WHERE id = ?');
    const upsert = db.prepare(`
      INSERT INTO channels (id, live, guid, revision, state) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET
        live = excluded.live, guid = excluded.guid, revision = excluded.revision, state = excluded.state`);
    return (fact) => {
      switch (fact.type) {
        case 'ErasureRequested': {
          const { channel_id: id, key_version, made_with = null } = fact.data;
          const channel: ErasedChannel = { status: 'erased', id, key_version, key_made_with: made_with };
          upsert.run(id, 0, null, ERASED, JSON.stringify(channel));
          return;
        }
        case 'ChannelCreated':
        case 'ChannelUpdated':
        case 'PublisherKeyRotated':
        case 'ChannelDeleted': {
          const id = idIn(fact.stream);
          const row = select.get(id) as ChannelRow | undefined;
          if (row && row.revision >= fact.revision) return;
          const channel = evolveChannel(row ? JSON.parse(row.state) : NO_CHANNEL, fact);
          const live = channel.status === 'live' ? channel : undefined;
          upsert.run(id, live ? 1 : 0, live?.fields.guid ?? null, fact.revision, JSON.stringify(channel));
        }
      }
    };
  },
};

export type ChannelQueries = ReturnType<typeof channelQueries>;

/** Queries over the channels that live, and those that once did. */
export function channelQueries(db: DatabaseSync) {
  const byId = db.prepare('SELECT state FROM channels WHERE id = ? AND live = 1');
  const byGuid = db.prepare('SELECT state FROM channels WHERE guid = ? AND live = 1');
  const page = db.prepare('SELECT state FROM channels WHERE live = 1 AND id > ? ORDER BY id LIMIT ?');
  const ended = db.prepare('SELECT state FROM channels WHERE id = ? AND live = 0');
  const largest = db.prepare('SELECT max(id) AS id FROM channels');
  const live = (row: unknown) => (row ? (JSON.parse((row as ChannelRow).state) as Channel as LiveChannel) : undefined);
  return {
    byId: (id: number): LiveChannel | undefined => live(byId.get(id)),
    byGuid: (guid: string): LiveChannel | undefined => live(byGuid.get(guid)),
    /** A channel that was deleted or erased. */
    endedById: (id: number): KeyOfChannel | undefined => {
      const row = ended.get(id) as Pick<ChannelRow, 'state'> | undefined;
      return row && (JSON.parse(row.state) as KeyOfChannel);
    },
    /** Ids ascending, from the first above `after`. */
    page: ({ after = 0, limit }: { after?: number | undefined; limit: number }): LiveChannel[] =>
      page.all(after, limit).map((row) => live(row) as LiveChannel),
    largestId: (): number => (largest.get() as { id: number | null }).id ?? 0,
  };
}
