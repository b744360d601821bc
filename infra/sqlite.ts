import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Opens a database that can be rebuilt from the log: WAL without a flush at each commit, so that a power cut may cost the
 * last transactions (rows and checkpoint alike), never their consistency.
 */
export function openDerived(file: string): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true });
  const db = new DatabaseSync(file, { timeout: 5_000 });
  try {
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000; PRAGMA secure_delete = ON',
    );
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** A file up to this size is written anew in two seconds at most, in bytes. */
const REWRITABLE = 128 * 1_024 * 1_024;

/**
 * Takes out of a database's files what its rows do not hold any more. What is deleted is overwritten in its place (`secure_delete`), but SQLite leaves copies in pages that it has split, and
 * in its write-ahead log: a file that is not too large is written anew, and the log cleared.
 * @returns whether that could be done: readers may be in the way
 */
export function clearTraces(db: DatabaseSync): boolean {
  const { bytes } = db
    .prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size')
    .get() as {
    bytes: number;
  };
  db.exec('PRAGMA busy_timeout = 0');
  try {
    if (bytes <= REWRITABLE) db.exec('VACUUM');
    const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    return busy === 0;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  } finally {
    db.exec('PRAGMA busy_timeout = 5000');
  }
}

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/** Opens a database that another process writes; undefined while there is none. */
export function openForReading(file: string): DatabaseSync | undefined {
  try {
    const db = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
    return db;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_CANTOPEN) return undefined;
    throw error;
  }
}

/** https://sqlite.org/rescode.html#cantopen */
const SQLITE_CANTOPEN = 14;

/** https://sqlite.org/rescode.html: CORRUPT, NOTADB */
const DAMAGE_CODES: readonly unknown[] = [11, 26];

/** Whether an error of SQLite says that the file itself is damaged; a full disk or a lock does not. */
export function isDamagedFile(error: unknown): error is Error {
  const { errcode } = (error ?? {}) as { errcode?: number };
  return errcode !== undefined && DAMAGE_CODES.includes(errcode & 0xff);
}

/** Removes a database that can be rebuilt, and what was noted about it. Its name goes first, so that nobody opens it without its log. */
export function removeDerived(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal', '.damaged']) rmSync(file + suffix, { force: true });
}
