import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CannotStart } from '../../cannot-start.ts';
import { damaged, isDamage, noteDamage, refuseNoted } from './damage.ts';
import { walDamage } from './wal-damage.ts';

/** Marks the file as ours ("ESDB"), so that no other SQLite file is taken for an event store. */
export const APPLICATION_ID = 0x45534442;
/** Marks a backup ("ESBK"). */
export const BACKUP_APPLICATION_ID = 0x4553424b;
const SCHEMA_VERSION = 3;

/**
 * The exclusive lock refuses a second process, and saves the shared memory that WAL would need otherwise. What is committed is flushed by
 * GroupCommit.
 */
const PRAGMAS = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 67108864;
  PRAGMA cache_size = -16384;
  PRAGMA temp_store = MEMORY;
  PRAGMA secure_delete = ON;
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
    data BLOB NOT NULL,
    checksum INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX events_by_revision ON events (stream, revision);
  CREATE INDEX events_by_id ON events (stream, id);
`;

const PARTS = 4;
const COUNT_PARTS = `
  SELECT count(*) AS parts FROM sqlite_schema WHERE name IN ('streams', 'events', 'events_by_revision', 'events_by_id')`;

/** By the version that they bring it up from. What was written before there were checksums has none. */
const MIGRATIONS: Readonly<Record<number, string>> = {
  1: 'ALTER TABLE events ADD COLUMN checksum INTEGER',
  // Only that older code, which knows no blank events, does not open it any more.
  2: 'SELECT 1',
};

export interface OpenedDatabase {
  readonly database: DatabaseSync;
  readonly file: string;
  /** The process that had it before was killed. */
  readonly wasKilled: boolean;
}

export const fileIn = (dataDir: string): string => join(dataDir, 'eventstore.db');
export const walOf = (file: string) => `${file}-wal`;

/**
 * Opens `eventstore.db` in the directory, both made when missing.
 * @param despiteNote opens a file that was noted as damaged, to look at it again
 * @throws CannotStart when the file is damaged or not an event store, Error of one line when it cannot be used
 */
export function openDatabase(dataDir: string, { despiteNote = false } = {}): OpenedDatabase {
  const file = fileIn(dataDir);
  if (!despiteNote) refuseNoted(file);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true });
    refuseDamagedWal(file);
    const wasKilled = existsSync(walOf(file)) && statSync(walOf(file)).size > 0;
    database = new DatabaseSync(file, { timeout: 0 });
    database.exec(PRAGMAS);
    prepareSchema(database, file);
    return { database, file, wasKilled };
  } catch (error) {
    database?.close();
    if (error instanceof CannotStart) throw error;
    if (isDamage(error)) throw damaged(file, error.message);
    throw new Error(`cannot open ${file}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Before SQLite opens it, which would clear the log away. */
function refuseDamagedWal(file: string): void {
  const reason = walDamage(walOf(file));
  if (reason === undefined) return;
  noteDamage(file, reason);
  throw damaged(file, reason);
}

function prepareSchema(database: DatabaseSync, file: string): void {
  const applicationId = readPragma(database, 'application_id');
  const version = readPragma(database, 'user_version');
  if (applicationId === BACKUP_APPLICATION_ID) throw new CannotStart(`${file} is a backup: use npm run restore`);
  if (applicationId === 0 && readPragma(database, 'schema_version') === 0) {
    commit(database, `${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}`);
    return;
  }
  if (applicationId !== APPLICATION_ID) throw new CannotStart(`${file} is another application's file`);
  for (let from = version; from < SCHEMA_VERSION; from++) {
    const migration = MIGRATIONS[from];
    if (migration === undefined) throw damaged(file, `its header says version ${version}`);
    commit(database, migration);
  }
  const parts = Number(database.prepare(COUNT_PARTS).get()?.parts);
  if (parts < PARTS) throw damaged(file, `${PARTS - parts} of its tables and indexes are missing`);
  if (version > SCHEMA_VERSION) throw new CannotStart(`${file} is of version ${version}, newer than this code`);
}

function commit(database: DatabaseSync, sql: string): void {
  database.exec(`BEGIN; ${sql}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
}

function readPragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function reasonOf(error: unknown): string {
  const { errcode, message } = error as Error & { errcode?: number };
  return errcode !== undefined && (errcode & 0xff) === 5 ? 'another process holds it' : message;
}
