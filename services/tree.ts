import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Logger } from '../infra/log.ts';
import { createTree, treeQueries } from '../projections/merkle/tree-file.ts';
import { tablesIn } from '../projections/tables.ts';
import { noteDamaged, openOrRebuild, Unusable } from './derived-file.ts';
import { openReplacedFile } from './replaced-file.ts';

/** Where the tree over the log lies: made anew from the log where it is not there. */
export const treeFile = (dataDir: string): string => join(dataDir, 'merkle-tree.db');

/** The file for the one who writes it. */
export function writableTree(dataDir: string, log: Logger) {
  const file = treeFile(dataDir);
  return { open: () => openOrRebuild(file, log, prepare), onDamage: () => noteDamaged(file) };
}

/** The file for everybody else. */
export const openTreeReader = (dataDir: string) =>
  openReplacedFile(treeFile(dataDir), (db) => (tablesIn(db, createTree) === 'todays' ? treeQueries(db) : undefined));

function prepare(db: DatabaseSync): void {
  if (tablesIn(db, createTree) === 'others') throw new Unusable('its tables are not those of this version');
  createTree(db);
}
