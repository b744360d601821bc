import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export const scratchFiles = (dir: string) => ({
  models: join(dir, 'read-models.db'),
  tree: join(dir, 'merkle-tree.db'),
});

/** Opens a file that nobody misses: no journal, and no waiting for the disk. */
export function openScratchFile(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -64000');
  return db;
}
