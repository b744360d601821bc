import type { DatabaseSync } from 'node:sqlite';
import { type Erasure, type ErasureFact, evolveErasure, NO_ERASURE, type StartedErasure } from '../domain/erasure.ts';
import { type RecordedFact, stream } from '../domain/facts.ts';
import { idIn, type Projection, type RecordedOf } from './projection.ts';

interface ErasureRow {
  readonly revision: number;
  readonly state: string;
}

/** Streams named in one fact at most: what an append may hold is far more. */
const STREAMS = 2_000;
/** Events, and deliveries of them, that one fact lets go at most. */
const EVENTS = 250;
const DELIVERIES = 2_500;

/**
 * Erasures by channel, and the streams of erased channels: `left_at` is the position of the last fact in one that is yet to be erased. Before all others, since it
 * asks what they know of the channel before they forget it. Rows come out the same whether or not the log still has what is erased.
 */
export const erasures: Projection = {
  name: 'erasures',
  schema: `
    CREATE TABLE IF NOT EXISTS erasures (
      channel_id INTEGER PRIMARY KEY, running INTEGER NOT NULL, largest_id INTEGER NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS erasures_running ON erasures (channel_id) WHERE running = 1;
    CREATE TABLE IF NOT EXISTS erased_streams (stream TEXT PRIMARY KEY, channel_id INTEGER NOT NULL, left_at INTEGER) STRICT;
    CREATE INDEX IF NOT EXISTS erased_streams_left ON erased_streams (channel_id) WHERE left_at IS NOT NULL;`,
  prepare(db) {
    const erased = erasedChannels(db);
    const evolve = evolver(db);
    const { begin, add, done, channelOf } = streamsOf(db);

    /** What reaches a channel's streams behind the wish to erase it is to be erased as well. */
    function noteLate(fact: RecordedFact) {
      const channelId = ownerOf(fact) ?? channelOf(fact.stream);
      if (channelId !== undefined && erased.has(channelId)) add(fact.stream, channelId, fact.position);
    }
    return (fact) => {
      switch (fact.type) {
        case 'ErasureRequested':
          if (!evolve(fact)) return;
          erased.add(fact.data.channel_id);
          begin(fact);
          return;
        case 'StreamsErased':
          if (evolve(fact)) done(fact);
          return;
        case 'EventsErased':
        case 'ErasureFinished':
          evolve(fact);
          return;
        default:
          if (erased.size > 0) noteLate(fact);
      }
    };
  },
};

/** The ids of channels that are to be erased, kept in mind: whoever projects adds to them. */
export function erasedChannels(db: DatabaseSync): Set<number> {
  const rows = db.prepare('SELECT channel_id FROM erasures').all();
  return new Set(rows.map((row) => (row as { channel_id: number }).channel_id));
}

/** Folds a fact into the erasure's row; false where the row has it already. */
function evolver(db: DatabaseSync) {
  const select = db.prepare('SELECT revision, state FROM erasures WHERE channel_id = ?');
  const upsert = db.prepare(`
    INSERT INTO erasures VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (channel_id) DO UPDATE SET
      running = excluded.running, largest_id = max(largest_id, excluded.largest_id), revision = excluded.revision, state = excluded.state`);
  return (fact: ErasureFact & RecordedFact): boolean => {
    const id = fact.data.channel_id;
    const row = select.get(id) as ErasureRow | undefined;
    if (row && row.revision >= fact.revision) return false;
    const erasure = evolveErasure(row ? (JSON.parse(row.state) as Erasure) : NO_ERASURE, fact);
    if (erasure.status === 'none') return false;
    upsert.run(id, erasure.status === 'running' ? 1 : 0, largestIdIn(fact), fact.revision, JSON.stringify(erasure));
    return true;
  };
}

/** No id that was once given to anything may be given again, also when all else of it is gone. */
function largestIdIn({ type, data }: ErasureFact): number {
  if (type === 'EventsErased') return data.below - 1;
  if (type === 'StreamsErased') return Math.max(...data.streams.map((erased) => idIn(erased.stream)), data.channel_id);
  return data.channel_id;
}

function streamsOf(db: DatabaseSync) {
  const upsert = db.prepare(`
    INSERT INTO erased_streams VALUES (?, ?, ?)
    ON CONFLICT (stream) DO UPDATE SET left_at = max(coalesce(left_at, -1), excluded.left_at)`);
  const end = db.prepare(`
    INSERT INTO erased_streams VALUES (?1, ?2, NULL)
    ON CONFLICT (stream) DO UPDATE SET left_at = CASE WHEN left_at > ?3 THEN left_at END`);
  const webhooks = db.prepare('SELECT id FROM webhooks WHERE channel_id = ?');
  const recoveries = db.prepare("SELECT id FROM recoveries WHERE state ->> '$.channel_id' = ?");
  const owner = db.prepare('SELECT channel_id FROM erased_streams WHERE stream = ?');
  const add = (name: string, channelId: number, position: number) => void upsert.run(name, channelId, position);
  const idsIn = (rows: unknown[]) => rows.map((row) => (row as { id: number }).id);
  return {
    add,
    begin({ data: { channel_id: id }, position }: RecordedOf<'ErasureRequested'>) {
      const names = [
        ...[stream.channel(id), stream.events(id), stream.deliveries(id)],
        ...idsIn(webhooks.all(id)).map(stream.webhook),
        ...idsIn(recoveries.all(id)).map(stream.recovery),
      ];
      for (const name of names) add(name, id, position);
    },
    done({ data: { streams, channel_id, up_to } }: RecordedOf<'StreamsErased'>) {
      for (const erased of streams) end.run(erased.stream, channel_id, up_to);
    },
    /** Of a stream whose name does not say it. */
    channelOf: (name: string): number | undefined =>
      (owner.get(name) as { channel_id: number } | undefined)?.channel_id,
  };
}

/** The channel that a fact is of, where its stream's name or it itself says so. */
function ownerOf({ stream: name, type, data }: RecordedFact): number | undefined {
  if (/^(?:channel|events|deliveries)-/.test(name)) return idIn(name);
  return type === 'WebhookCreated' || type === 'RecoveryRequested' ? data.channel_id : undefined;
}

export type ErasureQueries = ReturnType<typeof erasureQueries>;

export function erasureQueries(db: DatabaseSync) {
  const byChannel = db.prepare('SELECT state FROM erasures WHERE channel_id = ?');
  const running = db.prepare(
    'SELECT channel_id AS id FROM erasures WHERE running = 1 AND channel_id > 0 ORDER BY channel_id LIMIT 1',
  );
  const behind = db.prepare(`
    SELECT channel_id AS id FROM erased_streams WHERE left_at IS NOT NULL AND channel_id > 0 ORDER BY channel_id LIMIT 1`);
  const left = db.prepare(`
    SELECT stream FROM erased_streams WHERE channel_id = ? AND left_at IS NOT NULL LIMIT ${STREAMS}`);
  const nextEvents = db.prepare(`SELECT id FROM events WHERE channel_id = ? ORDER BY id LIMIT ${EVENTS}`);
  const countDeliveries = db.prepare('SELECT count(*) AS count FROM deliveries WHERE event_id = ?');
  const largest = db.prepare('SELECT max(largest_id) AS id FROM erasures');
  return {
    byChannel: (id: number): StartedErasure | undefined => {
      const row = byChannel.get(id) as Pick<ErasureRow, 'state'> | undefined;
      return row && (JSON.parse(row.state) as StartedErasure);
    },
    /** Id of a channel whose erasure is not finished; undefined where all are. */
    unfinished: (): number | undefined => ((running.get() ?? behind.get()) as { id: number } | undefined)?.id,
    /** Streams of a channel that hold what is yet to be erased, a page of them. */
    left: (channelId: number): string[] => left.all(channelId).map((row) => String(row.stream)),
    /** The id below which the next of a channel's events are to be erased, so many that it does not take long; undefined where there are none left. */
    nextBelow(channelId: number): number | undefined {
      let [below, deliveries]: [number | undefined, number] = [undefined, 0];
      for (const { id } of nextEvents.iterate(channelId) as Iterable<unknown> as Iterable<{ id: number }>) {
        deliveries += (countDeliveries.get(id) as { count: number }).count;
        if (below !== undefined && deliveries > DELIVERIES) break;
        below = id + 1;
      }
      return below;
    },
    largestId: (): number => (largest.get() as { id: number | null }).id ?? 0,
  };
}
