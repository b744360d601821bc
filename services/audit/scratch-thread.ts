import { parentPort, workerData } from 'node:worker_threads';
import { isFactStream } from '../../domain/facts.ts';
import type { RecordedTreeHead } from '../../domain/tree-head.ts';
import { toFact } from '../../infra/event-store/client.ts';
import { headsAmong } from '../../projections/merkle/heads.ts';
import { treeWriter } from '../../projections/merkle/tree-file.ts';
import { readModelWriter } from '../../projections/read-models.ts';
import { type EventBatch, unpackEvents } from './event-batch.ts';
import { openScratchFile, scratchFiles } from './scratch-file.ts';

/** What is to be made of a batch of events. */
export interface Task {
  readonly batch: EventBatch;
  readonly areModelsWanted: boolean;
  /** What remains of facts that the log held in between. */
  readonly erased: readonly { readonly position: number; readonly hash: Uint8Array }[];
}

/** The signed heads among the events of a batch that are not heads of this log. */
export type Done = readonly RecordedTreeHead[];

/** A thread that makes read models and tree: answers each batch once it is in them. */
const files = scratchFiles(workerData as string);
const models = readModelWriter(openScratchFile(files.models));
const tree = treeWriter(openScratchFile(files.tree));

parentPort?.on('message', ({ batch, areModelsWanted, erased }: Task) => {
  const events = unpackEvents(batch);
  const { position } = batch;
  const ours = areModelsWanted ? events.filter(({ stream }) => isFactStream(stream)) : [];
  if (areModelsWanted)
    models.apply(
      ours.map((event) => toFact(event)),
      position,
    );
  const leaves = erased.map((leaf) => ({ position: leaf.position, hash: Buffer.from(leaf.hash) }));
  parentPort?.postMessage(tree.append(events, position, headsAmong(events), leaves) satisfies Done);
});
