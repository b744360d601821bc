import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CannotStart } from './cannot-start.ts';

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/**
 * Makes the directory where there is none, and holds it until `release` or the end of this process, however it ends: the
 * lock is the kernel's, on a file that SQLite keeps in exclusive use.
 * @throws CannotStart where another run holds it, or it cannot be written
 */
export function holdDataDir(dataDir: string): { release(): void } {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const lock = new DatabaseSync(join(dataDir, 'lock.db'));
    lock.exec('BEGIN EXCLUSIVE');
    return { release: () => lock.close() };
  } catch (error) {
    const { errcode, message } = error as { errcode?: number; message: string };
    if (errcode === SQLITE_BUSY)
      throw new CannotStart(`DATA_DIR ${dataDir} is in use by another run: stop that one first`);
    throw new CannotStart(`DATA_DIR ${dataDir} cannot be used: ${message}`);
  }
}
