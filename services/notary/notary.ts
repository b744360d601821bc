import type { KeyObject } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { stream } from '../../domain/facts.ts';
import { signCheckpoint } from '../../infra/checkpoint.ts';
import { type EventStore, NO_STREAM_YET } from '../../infra/event-store/client.ts';
import { WrongRevision } from '../../infra/event-store/errors.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { pause } from '../../infra/pause.ts';
import { isDamagedFile } from '../../infra/sqlite.ts';
import { headsAmong } from '../../projections/merkle/heads.ts';
import { type Tree, type TreeWriter, treeQueries, treeWriter } from '../../projections/merkle/tree-file.ts';
import { createRemains, type Remains, withoutFacts } from '../remains.ts';
import { systemFact } from '../system-fact.ts';

export interface NotaryDeps {
  /** Opens the tree's file, anew where it was damaged. */
  readonly open: () => DatabaseSync;
  /** Told where the file turns out to be damaged. */
  readonly onDamage: () => void;
  readonly store: Pick<EventStore, 'append' | 'storedUpTo' | 'storedIn' | 'lastPosition'>;
  /** Signs the heads. */
  readonly key: KeyObject;
  /** Whether this node is the one that signs. */
  readonly isLeading: () => boolean;
  readonly intervalMs: number;
  readonly nowMs: () => number;
  readonly log: Logger;
}

/**
 * Keeps the tree over the log, and signs its head where it leads and there are new facts. It wakes once a second and takes what has come since, many
 * facts at a time: nothing waits for it, and no delivery has to make room for it fact by fact, nor for all the facts of an interval.
 */
export function createNotary(deps: NotaryDeps): Service {
  return createLoop('notary', deps.log, async (signal, working) => {
    const db = deps.open();
    try {
      await keep(deps, db, signal, working);
    } catch (error) {
      if (isDamagedFile(error)) deps.onDamage();
      throw error;
    } finally {
      db.close();
    }
  });
}

async function keep(deps: NotaryDeps, db: DatabaseSync, signal: AbortSignal, working: () => void): Promise<void> {
  const writer = treeWriter(db);
  const tree = treeQueries(db);
  const remains = createRemains(deps.store);
  // First of all: a start has more urgent things to read.
  await pause(deps.intervalMs, signal);
  for (let signFromMs = 0; !signal.aborted; await pause(Math.min(deps.intervalMs, LOOK_MS), signal)) {
    await catchUp(deps, writer, remains, signal);
    working();
    const nowMs = performance.now();
    if (signal.aborted || nowMs < signFromMs || !deps.isLeading() || !isUnsigned(tree)) continue;
    signFromMs = nowMs + deps.intervalMs;
    await appendHead(deps, tree);
    await catchUp(deps, writer, remains, signal);
  }
}

/** How often what has come is taken where heads are signed less often, in ms: the facts of a busy minute are seconds of work. */
const LOOK_MS = 1_000;
/** Facts that are hashed and committed at a time, or less than twice as many, which takes two or three ms: the relay of this process waits for no longer. */
const AT_A_TIME = 256;
/** How long it then leaves the processor to others, in ms, however far it is behind. */
const REST_MS = 5;

/** Heads are no leaves: signing one makes nothing new to sign. */
function isUnsigned(tree: Tree): boolean {
  return tree.size() > (tree.lastHead()?.tree_size ?? 0);
}

async function catchUp({ store, log }: NotaryDeps, writer: TreeWriter, remains: Remains, signal: AbortSignal) {
  const head = await store.lastPosition();
  if (writer.position() > head)
    log.error({ head }, 'the log ends before what the tree holds: run webhooks-audit verify');
  if (writer.position() >= head) return;
  const missing = { after: writer.position(), to: head, atATime: AT_A_TIME, signal };
  for await (const { facts, position } of store.storedUpTo(missing)) {
    const erased = await remains.between(writer.position(), position);
    const others = writer.append(facts, position, headsAmong(facts), withoutFacts(erased, facts));
    for (const { tree_size, at } of others)
      log.error({ tree_size, at }, 'the log is not the one whose head was signed then: run webhooks-audit verify');
    await pause(REST_MS, signal);
  }
}

async function appendHead({ store, key, nowMs, log }: NotaryDeps, tree: Tree) {
  const size = tree.size();
  const data = signCheckpoint(key, size, tree.root(size), nowMs());
  const name = stream.treeHeads;
  try {
    await store.append(
      name,
      [systemFact({ type: 'TreeHeadSigned', data }, name)],
      tree.headsRevision() ?? NO_STREAM_YET,
    );
  } catch (error) {
    if (!(error instanceof WrongRevision)) throw error;
    log.info('another node has signed a head meanwhile');
  }
}
