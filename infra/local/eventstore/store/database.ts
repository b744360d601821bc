import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Marks the file as ours ("ESDB"), so that no other SQLite file is taken for an event store. */
const APPLICATION_ID = 0x45534442;
const SCHEMA_VERSION = 1;

/** The exclusive lock refuses a second process, and saves the shared memory that WAL would need otherwise. */
const PRAGMAS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -32768;
  PRAGMA temp_store = MEMORY;
`;

const SCHEMA = `
  CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    id BLOB NOT NULL,
    type TEXT NOT NULL,
    json INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    metadata BLOB NOT NULL,
    data BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX events_by_revision ON events (stream, revision);
  CREATE INDEX events_by_id ON events (stream, id);
`;

/**
 * Opens `eventstore.db` in the directory, both made when missing.
 * @throws Error of one line when the file is held by another process, torn or not an event store.
 */
export function openDatabase(dataDir: string): DatabaseSync {
  const path = join(dataDir, 'eventstore.db');
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true });
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec(PRAGMAS);
    prepareSchema(database);
    return database;
  } catch (error) {
    database?.close();
    throw new Error(`cannot open ${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function prepareSchema(database: DatabaseSync): void {
  const applicationId = readPragma(database, 'application_id');
  const version = readPragma(database, 'user_version');
  if (applicationId === APPLICATION_ID && version === SCHEMA_VERSION) {
    // Touches both ends of the log: a file cut short shows here and not at the first read.
    database.exec('SELECT min(position) FROM events; SELECT max(position), length(data) FROM events');
    return;
  }
  if (applicationId !== 0 || readPragma(database, 'schema_version') !== 0) {
    throw new Error(`it is another application's file, or of another version`);
  }
  database.exec(
    `BEGIN; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`,
  );
}

function readPragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function reasonOf(error: unknown): string {
  const { errcode, message } = error as Error & { errcode?: number };
  return errcode !== undefined && (errcode & 0xff) === 5 ? 'another process holds it' : message;
}
