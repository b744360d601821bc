import { existsSync, writeFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Logger } from '../infra/log.ts';
import { isDamagedFile, openDerived, removeDerived } from '../infra/sqlite.ts';

const noteOf = (file: string) => `${file}.damaged`;

/** Says that a file that can be rebuilt is damaged, to the process that writes it. */
export function noteDamaged(file: string): void {
  writeFileSync(noteOf(file), '');
}

export function isNotedDamaged(file: string): boolean {
  return existsSync(noteOf(file));
}

/** What can be read of a file is not what it should be. */
export class Unusable extends Error {}

/**
 * Opens a database that can be rebuilt from the log. A damaged one is thrown away first.
 * @param prepare makes the tables; may throw Unusable
 */
export function openOrRebuild(file: string, log: Logger, prepare: (db: DatabaseSync) => void): DatabaseSync {
  if (!isNotedDamaged(file)) {
    try {
      return open(file, prepare);
    } catch (error) {
      if (!isDamagedFile(error) && !(error instanceof Unusable)) throw error;
    }
  }
  log.warn({ file }, 'this file cannot be used: it is thrown away and rebuilt from the log');
  removeDerived(file);
  return open(file, prepare);
}

function open(file: string, prepare: (db: DatabaseSync) => void): DatabaseSync {
  const db = openDerived(file);
  try {
    prepare(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
