import type { DatabaseSync } from 'node:sqlite';
import { meets, type PublishedEvent } from '../../domain/event.ts';
import type { RecordedFact } from '../../domain/facts.ts';
import { clearTraces } from '../../infra/sqlite.ts';
import { tablesIn } from '../../projections/tables.ts';
import { liveWebhooks, webhookQueries, webhooks } from '../../projections/webhooks.ts';
import { Unusable } from '../derived-file.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS relay (
    one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, skipped_to INTEGER, skipped_on TEXT,
    incarnation TEXT NOT NULL, last_sequence INTEGER NOT NULL, server TEXT NOT NULL
  ) STRICT;
  INSERT INTO relay VALUES (1, -1, NULL, NULL, '', 0, '') ON CONFLICT DO NOTHING;`;

/** What the relay knew of the broker when it last committed. */
export interface KnownBroker {
  readonly incarnation: string;
  readonly last_sequence: number;
  /** See QueueState. */
  readonly server: string;
}

/** Publications up to a place in the log that the relay puts on no queue, and the queue, by its incarnation, that gets all those behind it. */
export interface Skipped {
  readonly to: number;
  readonly on: string;
}

/** What a relay notes for the one that goes on when it is gone. */
export interface RelayNote extends KnownBroker {
  /** Up to where all is on the queue. */
  readonly position: number;
  /** Undefined until it is decided. */
  readonly skipped?: Skipped | undefined;
}

interface Row {
  readonly position: number;
  readonly skipped_to: number | null;
  readonly skipped_on: string | null;
}

/** Makes the tables. @throws Unusable where there are others than those of this version */
export function createRegistry(db: DatabaseSync): void {
  if (tablesIn(db, createTables) === 'others') throw new Unusable('its tables are not those of this version');
  createTables(db);
}

function createTables(db: DatabaseSync): void {
  db.exec(webhooks.schema);
  db.exec(SCHEMA);
}

/** Prepares what tells another process where the relay is. @throws Error where the tables are not there */
export function positionReader(db: DatabaseSync): () => number {
  const select = db.prepare('SELECT position FROM relay');
  return () => (select.get() as { position: number }).position;
}

export type Registry = ReturnType<typeof openRegistry>;

/**
 * The relay's own table of webhooks, its place in the log and what it knows of the broker, in one file: an event meets exactly
 * the webhooks that were live at its place in the log, whatever the read models have seen by then.
 */
export function openRegistry(db: DatabaseSync) {
  const apply = webhooks.prepare(db, () => {});
  const live = liveWebhooks(webhookQueries(db));
  const select = db.prepare('SELECT position, skipped_to, skipped_on, incarnation, last_sequence, server FROM relay');
  const commit = db.prepare('UPDATE relay SET position = ?, last_sequence = coalesce(?, last_sequence)');
  const setBroker = db.prepare('UPDATE relay SET incarnation = ?, last_sequence = ?, server = ?');
  const setServer = db.prepare('UPDATE relay SET server = ?');
  const setSkipped = db.prepare('UPDATE relay SET skipped_to = ?, skipped_on = ?');
  const goBack = db.prepare('UPDATE relay SET position = min(position, ?)');
  let hasErased = false;
  const row = () => select.get() as unknown as KnownBroker & Row;
  const saveSkipped = ({ to, on }: Skipped) => void setSkipped.run(to, on);
  const saveBroker = ({ incarnation, last_sequence, server }: KnownBroker) =>
    void setBroker.run(incarnation, last_sequence, server);

  return {
    position: (): number => row().position,
    /** What is left to the sweeper; undefined until that is decided. */
    skipped: (): Skipped | undefined => skippedIn(row()),
    setSkipped: saveSkipped,
    broker: (): KnownBroker => row(),
    setBroker: saveBroker,
    note(): RelayNote {
      const now = row();
      const { position, incarnation, last_sequence, server } = now;
      return { position, skipped: skippedIn(now), incarnation, last_sequence, server };
    },
    /** Goes on where another relay has noted that it is; what the table holds beyond that does no harm: what is queued for it is looked up. */
    adopt(note: RelayNote): void {
      goBack.run(note.position);
      if (note.skipped) saveSkipped(note.skipped);
      saveBroker(note);
    },
    setServer: (server: string) => void setServer.run(server),
    apply(fact: RecordedFact) {
      apply(fact);
      hasErased ||= fact.type === 'ErasureRequested';
      if (/^(?:Channel|Webhook)|Rotated$/.test(fact.type)) live.forget();
    },
    /**
     * The ids of the webhooks that an event is sent to at once. Where the table holds settings from beyond the event's place in the log, since this relay went back to where
     * another was, those that it has no knowledge of are among them: what is queued for it is looked up.
     */
    *webhookIds(event: PublishedEvent, position: number): Generator<number> {
      for (const page of live.pages(event.channel_id)) {
        for (const webhook of page) {
          const isMet = webhook.pause === null && meets(event, webhook);
          if (isMet || webhook.position > position) yield webhook.id;
        }
      }
    },
    /** The ids of a channel's live webhooks, a page at a time. */
    *liveIds(channelId: number): Generator<number> {
      for (const page of live.pages(channelId)) yield* page.map(({ id }) => id);
    },
    begin: () => db.exec('BEGIN IMMEDIATE'),
    /** Webhooks, place and, unless nothing was queued, sequence together. */
    commit(position: number, lastSequence: number | undefined) {
      commit.run(position, lastSequence ?? null);
      db.exec('COMMIT');
      if (hasErased) hasErased = !clearTraces(db);
    },
    rollback() {
      // A full disk has rolled it back already.
      if (db.isTransaction) db.exec('ROLLBACK');
      live.forget();
    },
  };
}

function skippedIn({ skipped_to: to, skipped_on: on }: Row): Skipped | undefined {
  return to === null || on === null ? undefined : { to, on };
}
