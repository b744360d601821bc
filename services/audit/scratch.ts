import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isFactStream } from '../../domain/facts.ts';
import type { RecordedTreeHead } from '../../domain/tree-head.ts';
import { type StoredEvent, toFact } from '../../infra/event-store/client.ts';
import { headsAmong } from '../../projections/merkle/heads.ts';
import { createTree, treeQueries, treeWriter } from '../../projections/merkle/tree-file.ts';
import { createReadModels, readModelWriter } from '../../projections/read-models.ts';

export type Scratch = ReturnType<typeof createScratch>;

/** Read models and tree, made anew from the log in files of their own. */
export function createScratch(parent: string) {
  const dir = mkdtempSync(join(parent, 'webhooks-audit-'));
  const files = { models: join(dir, 'read-models.db'), tree: join(dir, 'merkle-tree.db') };
  const [models, tree] = [open(files.models), open(files.tree)];
  createReadModels(models);
  createTree(tree);
  const [modelsWriter, writer, queries] = [readModelWriter(models), treeWriter(tree), treeQueries(tree)];
  return {
    files,
    tree: queries,
    /** @param position up to which the log has been read */
    addToModels(events: readonly StoredEvent[], position: number): void {
      const facts = events.filter(({ stream }) => isFactStream(stream)).map((event) => toFact(event));
      modelsWriter.apply(facts, position);
    },
    /** @returns the signed heads among the events that are not heads of this log */
    addToTree: (events: readonly StoredEvent[], position: number): RecordedTreeHead[] =>
      writer.append(events, position, headsAmong(events)),
    close(): void {
      models.close();
      tree.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A file that nobody misses: no journal, and no waiting for the disk. */
function open(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -64000');
  return db;
}
