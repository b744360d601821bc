import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { openForReading } from '../infra/sqlite.ts';
import { positionReader } from './relay/registry.ts';

/** Tells where in the log a relay on this machine is, from its own table, also when that is made anew. */
export function openRelayReader(dataDir: string) {
  const file = join(dataDir, 'relay.db');
  let opened: { readonly db: DatabaseSync; readonly inode: number; readonly position: () => number } | undefined;

  function reopen(inode: number | undefined) {
    opened?.db.close();
    opened = undefined;
    const db = inode === undefined ? undefined : openForReading(file);
    if (!db || inode === undefined) return;
    try {
      opened = { db, inode, position: positionReader(db) };
    } catch (error) {
      db.close();
      throw error;
    }
  }

  return {
    /** Undefined where there is no relay here. @throws Error where its table cannot be read */
    position(): number | undefined {
      const inode = statSync(file, { throwIfNoEntry: false })?.ino;
      if (inode !== opened?.inode) reopen(inode);
      return opened?.position();
    },
    close(): void {
      opened?.db.close();
    },
  };
}
