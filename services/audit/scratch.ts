import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { StoredEvent } from '../../infra/event-store/client.ts';
import { CannotStart } from '../../infra/local/cannot-start.ts';
import { createTree, treeQueries } from '../../projections/merkle/tree-file.ts';
import { createReadModels } from '../../projections/read-models.ts';
import { packEvents } from './event-batch.ts';
import { openScratchFile, scratchFiles } from './scratch-file.ts';
import type { Done, Task } from './scratch-thread.ts';

/** Batches that wait for the thread: enough for it never to wait for us. */
const WAITING = 2;

export type Scratch = ReturnType<typeof createScratch>;

/**
 * Read models and tree, made anew from the log in files of their own, by a thread of its own: that takes about as long as reading the log does.
 * @param onForeign told of the signed heads among the events that are not heads of this log
 */
export function createScratch(parent: string, onForeign: (heads: Done) => void) {
  const dir = mkdtempSync(join(parent, 'webhooks-audit-'));
  const files = scratchFiles(dir);
  make(files.models, createReadModels);
  make(files.tree, createTree);
  const thread = new Worker(join(import.meta.dirname, 'scratch-thread.ts'), { workerData: dir });
  const waiting: PromiseWithResolvers<void>[] = [];
  let failure: Error | undefined;
  thread.on('message', (foreign: Done) => {
    onForeign(foreign);
    waiting.shift()?.resolve();
  });
  thread.on('error', ({ message }) => {
    failure = new CannotStart(`what is in the log cannot be read: ${message}`);
    for (const batch of waiting.splice(0)) batch.reject(failure);
  });

  return {
    files,
    /**
     * @param position up to which the log has been read
     * @throws CannotStart where what came before could not be applied
     */
    async add(
      events: readonly StoredEvent[],
      position: number,
      { erased, areModelsWanted }: Pick<Task, 'erased' | 'areModelsWanted'>,
    ): Promise<void> {
      if (failure) throw failure;
      const done = Promise.withResolvers<void>();
      done.promise.catch(() => {});
      waiting.push(done);
      const batch = packEvents(events, position);
      thread.postMessage({ batch, areModelsWanted, erased } satisfies Task, [batch.bytes.buffer, batch.lengths.buffer]);
      if (waiting.length > WAITING) await waiting[0]?.promise;
    },
    /** Resolves once all that was added is in the files. @throws CannotStart */
    async whenWritten(): Promise<void> {
      await waiting.at(-1)?.promise;
      if (failure) throw failure;
    },
    /** Asks the tree, once all is in it. */
    askTree<T>(ask: (tree: ReturnType<typeof treeQueries>) => T): T {
      using db = openScratchFile(files.tree);
      return ask(treeQueries(db));
    },
    async close(): Promise<void> {
      await thread.terminate();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function make(file: string, create: (db: DatabaseSync) => void): void {
  using db = openScratchFile(file);
  create(db);
}
