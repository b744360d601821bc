import type { KeyObject } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { stream } from '../../domain/facts.ts';
import { signCheckpoint } from '../../infra/checkpoint.ts';
import { type EventStore, type LogBatch, NO_STREAM_YET, type StoredEvent } from '../../infra/event-store/client.ts';
import { WrongRevision } from '../../infra/event-store/errors.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { pause } from '../../infra/pause.ts';
import { isDamagedFile } from '../../infra/sqlite.ts';
import { headsAmong } from '../../projections/merkle/heads.ts';
import type { Leaf } from '../../projections/merkle/leaf.ts';
import { type Tree, type TreeWriter, treeQueries, treeWriter } from '../../projections/merkle/tree-file.ts';
import { createRemains, withoutFacts } from '../remains.ts';
import { systemFact } from '../system-fact.ts';

export interface NotaryDeps {
  /** Opens the tree's file, anew where it was damaged. */
  readonly open: () => DatabaseSync;
  /** Told where the file turns out to be damaged. */
  readonly onDamage: () => void;
  readonly store: Pick<EventStore, 'append' | 'recentStored' | 'storedUpTo' | 'storedIn' | 'lastPosition'>;
  /** Signs the heads. */
  readonly key: KeyObject;
  /** Whether this node is the one that signs. */
  readonly isLeading: () => boolean;
  readonly intervalMs: number;
  readonly nowMs: () => number;
  readonly log: Logger;
}

/**
 * Keeps the tree over the log, and signs its head where it leads and there are new facts. It wakes a few times a second and takes what others in this process have read since, many
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
  const tree = treeQueries(db);
  const reader = createReader(deps, treeWriter(db), signal);
  let signFromMs = performance.now() + deps.intervalMs;
  await pause(Math.min(deps.intervalMs, START_MS), signal);
  for (; !signal.aborted; await pause(Math.min(deps.intervalMs, LOOK_MS), signal)) {
    await reader.takeNew();
    working();
    const nowMs = performance.now();
    if (signal.aborted || nowMs < signFromMs || !deps.isLeading() || !isUnsigned(tree)) continue;
    signFromMs = nowMs + deps.intervalMs;
    await appendHead(deps, tree);
    await reader.catchUp();
  }
}

/** A start has more urgent things to read, in ms. */
const START_MS = 2_000;
/** How often what has come is taken where heads are signed less often, in ms: what others have read is kept for twice as long, at 8,000 facts a second. */
const LOOK_MS = 250;
/** Facts that are hashed and committed at a time, or less than twice as many, which takes two or three ms: the relay of this process waits for no longer. */
const AT_A_TIME = 256;
/** How long it then leaves the processor to others, in ms, however far it is behind. */
const REST_MS = 5;

/** Heads are no leaves: signing one makes nothing new to sign. */
function isUnsigned(tree: Tree): boolean {
  return tree.size() > (tree.lastHead()?.tree_size ?? 0);
}

/** Puts into the tree what the log holds behind it. */
function createReader({ store, log }: NotaryDeps, writer: TreeWriter, signal: AbortSignal) {
  const remains = createRemains(store);

  function append(facts: readonly StoredEvent[], position: number, erased: readonly Leaf[]) {
    const others = writer.append(facts, position, headsAmong(facts), erased);
    for (const { tree_size, at } of others)
      log.error({ tree_size, at }, 'the log is not the one whose head was signed then: run webhooks-audit verify');
  }

  /** Reads up to the end of the log. @throws StoreUnavailable */
  async function catchUp(): Promise<void> {
    const head = await store.lastPosition();
    if (writer.position() > head)
      log.error({ head }, 'the log ends before what the tree holds: run webhooks-audit verify');
    if (writer.position() >= head) return;
    const missing = { after: writer.position(), to: head, atATime: AT_A_TIME, signal };
    for await (const { facts, position } of store.storedUpTo(missing)) {
      const erased = await remains.between(writer.position(), position);
      append(facts, position, withoutFacts(erased, facts));
      await pause(REST_MS, signal);
    }
  }

  /** Takes what others have just read. @throws StoreUnavailable */
  async function take({ facts, position }: LogBatch<StoredEvent>): Promise<void> {
    if (position === writer.position()) return;
    const erased = await remains.between(writer.position(), position);
    // Each of these leaves has its place amid the others.
    if (erased.length > 0) return catchUp();
    for (let at = 0; at < facts.length && !signal.aborted; at += AT_A_TIME) {
      const next = facts.slice(at, at + AT_A_TIME);
      const isLast = at + next.length === facts.length;
      append(next, isLast ? position : (next.at(-1) as StoredEvent).position, []);
      await pause(REST_MS, signal);
    }
  }

  return {
    catchUp,
    /** Takes what has come since. @throws StoreUnavailable */
    async takeNew(): Promise<void> {
      if (!store.recentStored(writer.position())) await catchUp();
      const recent = store.recentStored(writer.position());
      if (recent) await take(recent);
    },
  };
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
