import { DatabaseSync } from 'node:sqlite';
import { CannotStart } from '../cannot-start.ts';
import { APPLICATION_ID, BACKUP_APPLICATION_ID } from '../eventstore/store/database.ts';
import { checkWhole } from '../eventstore/store/whole-check.ts';

/** What a backup holds beside the event store. */
export interface BackupNote {
  readonly made_at: string;
  /** Null where MASTER_SECRET was given by the environment. */
  readonly master_secret: string | null;
}

/**
 * Makes a backup of a copied store: one SQLite file in which the note is one more table.
 * @throws StoreDamaged, or SQLite's own error, where the copy is not whole
 */
export function finishBackup(file: string, note: BackupNote, progress: (done: number, of: number) => void): void {
  using db = new DatabaseSync(file);
  // One file alone, for wherever it is carried.
  db.exec('PRAGMA journal_mode = DELETE');
  checkWhole(db, progress);
  db.exec(`
    BEGIN;
    CREATE TABLE backup (made_at TEXT NOT NULL, master_secret TEXT) STRICT;
    PRAGMA application_id = ${BACKUP_APPLICATION_ID}`);
  db.prepare('INSERT INTO backup VALUES (?, ?)').run(note.made_at, note.master_secret);
  db.exec('COMMIT');
}

/**
 * Turns a copy of a backup into a store again.
 * @throws CannotStart where it is no backup; StoreDamaged, or SQLite's own error, where it is not whole
 */
export function unpackBackup(file: string, progress: (done: number, of: number) => void): BackupNote {
  using db = new DatabaseSync(file);
  const { application_id } = db.prepare('PRAGMA application_id').get() as { application_id: number };
  if (application_id !== BACKUP_APPLICATION_ID) throw new CannotStart('it is no backup');
  checkWhole(db, progress);
  const note = db.prepare('SELECT made_at, master_secret FROM backup').get() as unknown as BackupNote;
  db.exec(`BEGIN; DROP TABLE backup; PRAGMA application_id = ${APPLICATION_ID}; COMMIT`);
  return note;
}
