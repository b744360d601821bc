import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { openForReading } from '../infra/sqlite.ts';

/**
 * Reads a database that another process writes, and may throw away and make anew.
 * @param prepare makes of it what is asked; undefined where it is not ready for that yet, throws where it cannot be
 */
export function openReplacedFile<T>(file: string, prepare: (db: DatabaseSync) => T | undefined) {
  let opened: { readonly db: DatabaseSync; readonly inode: number; readonly queries: T } | undefined;

  function reopen(inode: number | undefined) {
    opened?.db.close();
    opened = undefined;
    const db = inode === undefined ? undefined : openForReading(file);
    if (!db || inode === undefined) return;
    try {
      const queries = prepare(db);
      if (queries === undefined) db.close();
      else opened = { db, inode, queries };
    } catch (error) {
      db.close();
      throw error;
    }
  }

  return {
    /** Undefined where there is no such file, or none that is ready. @throws Error where it cannot be read */
    queries(): T | undefined {
      const inode = statSync(file, { throwIfNoEntry: false })?.ino;
      if (inode !== opened?.inode) reopen(inode);
      return opened?.queries;
    },
    close(): void {
      opened?.db.close();
    },
  };
}
