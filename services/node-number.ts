import { stream } from '../domain/facts.ts';
import { NODES } from '../domain/ids.ts';
import {
  evolveNodeNumber,
  FREE_NODE_NUMBER,
  mayTake,
  NODE_NUMBER_MS,
  type NodeNumberFact,
} from '../domain/node-number.ts';
import { type Appended, type EventStore, NO_STREAM_YET } from '../infra/event-store/client.ts';
import { WrongRevision } from '../infra/event-store/errors.ts';
import { CannotStart } from '../infra/local/cannot-start.ts';
import type { Logger } from '../infra/log.ts';
import { systemFact } from './system-fact.ts';

export interface NodeNumberDeps {
  readonly store: Pick<EventStore, 'append' | 'read'>;
  readonly node: string;
  readonly nowMs: () => number;
  /** A monotonic clock. */
  readonly monotonicMs: () => number;
  readonly log: Logger;
}

/** The number of a node in the ids that it makes. */
export interface TakenNumber {
  readonly number: number;
  /** Where in the log it was taken: what others have made with it lies before that. */
  readonly position: number;
  /** Whether it may be used: no other node takes it meanwhile. */
  readonly isOurs: () => boolean;
  /** Lets others have it; in vain where the store is away. */
  readonly release: () => Promise<void>;
}

/**
 * Takes the first number that no other node has. It is kept in the log, which whoever makes ids cannot do without anyway, and which forgets nothing: whether
 * two nodes have the same one must not depend on a broker.
 * @throws StoreUnavailable; CannotStart where all are taken
 */
export async function takeNodeNumber(deps: NodeNumberDeps): Promise<TakenNumber> {
  const { monotonicMs, log } = deps;
  let takenMs = monotonicMs();
  const taken = await takeFirst(deps);
  const { number } = taken;
  let { revision } = taken;
  log.info({ node_number: number }, 'this node has a number');

  async function takeAgain() {
    const askedMs = monotonicMs();
    try {
      ({ revision } = await append(deps, number, 'NodeNumberTaken', revision));
      takenMs = askedMs;
    } catch (error) {
      log.warn({ err: error, node_number: number }, 'the number of this node was not taken again');
    }
  }

  const timer = setInterval(takeAgain, NODE_NUMBER_MS.again);
  timer.unref();
  return {
    ...{ number, position: taken.position },
    isOurs: () => monotonicMs() - takenMs < NODE_NUMBER_MS.used,
    async release() {
      clearInterval(timer);
      await append(deps, number, 'NodeNumberReleased', revision).catch((error) =>
        log.warn({ err: error, node_number: number }, 'the number of this node was not released'),
      );
    },
  };
}

async function takeFirst(deps: NodeNumberDeps): Promise<Appended & { number: number }> {
  for (let number = 0; number < NODES; number++) {
    const [last] = await deps.store.read<NodeNumberFact>(stream.node(number), { last: 1 });
    const state = last ? evolveNodeNumber(FREE_NODE_NUMBER, last) : FREE_NODE_NUMBER;
    if (!mayTake(state, deps.node, deps.nowMs())) continue;
    try {
      return { ...(await append(deps, number, 'NodeNumberTaken', last?.revision ?? NO_STREAM_YET)), number };
    } catch (error) {
      // Another node was faster.
      if (!(error instanceof WrongRevision)) throw error;
    }
  }
  throw new CannotStart(`all ${NODES} node numbers are taken: stop another node, or set NODE_NUMBER everywhere`);
}

function append(
  { store, node, nowMs }: NodeNumberDeps,
  number: number,
  type: NodeNumberFact['type'],
  expected: number,
): Promise<Appended> {
  const name = stream.node(number);
  const data = { number, node, ...(type === 'NodeNumberTaken' && { at: new Date(nowMs()).toISOString() }) };
  return store.append(name, [systemFact({ type, data } as NodeNumberFact, name)], expected);
}
