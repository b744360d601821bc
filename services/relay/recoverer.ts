import { setImmediate } from 'node:timers/promises';
import { stream } from '../../domain/facts.ts';
import { firstIdAt } from '../../domain/ids.ts';
import {
  decideRecovery,
  evolveRecovery,
  NO_RECOVERY,
  type Recovery,
  type RecoveryCommand,
  type RecoveryFact,
  type StartedRecovery,
  sortOut,
} from '../../domain/recovery.ts';
import type { EventStore } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { pause } from '../../infra/pause.ts';
import type { Queue } from '../../infra/queue/client.ts';
import type { Progress } from '../../projections/progress.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import { systemFact } from '../system-fact.ts';
import type { Term } from './leadership.ts';
import type { Relay } from './relay.ts';

/** The most events of a recovery that are under way at a time: what is published now stands behind no more of them. */
const BATCH = 100;
/** Events that are looked at before others get their turn. */
const PAGE = 200;
/** Recoveries that are looked at before the relay gets its turn. */
const ROUND = 50;
/** How often it is looked for something to do, in ms: while a recovery is running, and else. */
const LOOK_MS = 20;
const IDLE_MS = 200;
/** How many messages may wait for a worker before a recovery adds more. */
const UNTAKEN = 1_000;

export interface RecovererDeps {
  readonly store: Pick<EventStore, 'read' | 'append'>;
  readonly queue: Pick<Queue, 'state'>;
  readonly readModels: Pick<ReadModels, 'recoveries' | 'webhooks'>;
  readonly progress: Pick<Progress, 'reached'>;
  readonly relay: Pick<Relay, 'whenLeading'>;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** RETENTION: what is older is about to go. Absent: events are kept for ever. */
  readonly retentionMs?: number | undefined;
}

/** A recovery as the log has it. */
interface Known {
  readonly recovery: StartedRecovery;
  /** Place of its last fact in its stream and in the log. */
  readonly revision: number;
  readonly position: number;
  /** Up to which event nothing more is to be found. */
  readonly lookedThrough: number;
  /** The events found last that may not have been attempted yet. */
  readonly unmade: readonly number[];
}

/**
 * Works off recoveries: finds the events of each, a batch after the other, and says in the log that they are to be delivered again; the rest is what comes of that.
 * The next batch waits until all of the last has been attempted. Each is appended at the revision behind the one before: whoever leads next, after
 * whatever crash, goes on where the log ends, and no event is found twice.
 */
export function createRecoverer(deps: RecovererDeps): Service {
  const { store, queue, progress, relay, log } = deps;
  const { recoveries, webhooks } = deps.readModels;

  async function read(id: number): Promise<Known | undefined> {
    const facts = await store.read<RecoveryFact>(stream.recovery(id));
    const recovery = facts.reduce<Recovery>(evolveRecovery, NO_RECOVERY);
    const last = facts.at(-1);
    if (!last || recovery.status === 'none') return undefined;
    return { recovery, revision: last.revision, position: last.position, ...beginning(recovery) };
  }

  /** Without those that have been attempted, up to the first that has not. */
  function unmadeOf({ recovery, position, unmade }: Known): readonly number[] {
    if (progress.reached() < position) return unmade;
    const first = unmade.findIndex((id) => recoveries.isUnmade(recovery, id));
    return first < 0 ? [] : unmade.slice(first);
  }

  /** Finds the next events, or that there are no more. */
  async function look(known: Known, { signal }: Term): Promise<Known | RecoveryCommand> {
    const { recovery, lookedThrough } = known;
    const atMs = deps.nowMs();
    if (!webhooks.byId(recovery.webhook_id)) return { type: 'FinishRecovery', atMs };
    const oldest = deps.retentionMs === undefined ? 0 : firstIdAt(atMs - deps.retentionMs);
    const page = recoveries.candidates(recovery, Math.max(lookedThrough, oldest - 1), PAGE);
    const last = page.at(-1);
    if (!last) return { type: 'FinishRecovery', atMs };
    await setImmediate(undefined, { signal });
    const found = sortOut(recovery, page);
    const batch = [...found.failed, ...found.missing].sort((a, b) => a - b).slice(0, BATCH);
    const upTo = batch.at(-1);
    if (upTo === undefined) return { ...known, lookedThrough: last.id };
    const [failed, missing] = [found.failed, found.missing].map((ids) => ids.filter((id) => id <= upTo));
    return { type: 'RecoverEvents', failed: failed ?? [], missing: missing ?? [], atMs };
  }

  async function carryOut({ recovery, revision }: Known, command: RecoveryCommand): Promise<Known | undefined> {
    const facts = decideRecovery(recovery, command);
    const news = facts.map((fact) => systemFact(fact, String(fact.data.id)));
    const appended = await store.append(stream.recovery(recovery.id), news, revision);
    const state = facts.reduce<Recovery>(evolveRecovery, recovery) as StartedRecovery;
    const { id, channel_id, webhook_id, found } = state;
    if (state.status === 'finished') log.info({ id, channel_id, webhook_id, ...found }, 'a recovery is finished');
    return state.status === 'finished' ? undefined : { recovery: state, ...appended, ...beginning(state) };
  }

  /** @returns where it is now; undefined once it is finished */
  async function step(before: Known, hasRoom: () => Promise<boolean>, term: Term): Promise<Known | undefined> {
    if (before.recovery.status === 'finished') return undefined;
    const known = { ...before, unmade: unmadeOf(before) };
    if (known.unmade.length > 0 || !(await hasRoom())) return known;
    const next = await look(known, term);
    if (!('type' in next)) return next;
    return term.isOver() ? known : carryOut(known, next);
  }

  /** Asks the queue once, if it is asked at all. */
  function createRoom(): () => Promise<boolean> {
    let asked: Promise<boolean> | undefined;
    return () => {
      asked ??= queue.state().then(({ untaken }) => untaken <= UNTAKEN);
      return asked;
    };
  }

  return createLoop('recoverer', log, async (signal, working) => {
    const term = await relay.whenLeading(signal);
    const all = new Map<number, Known>();
    let after = 0;
    while (!term.isOver()) {
      const running = recoveries.running(after, ROUND);
      const hasRoom = createRoom();
      for (const id of running) {
        const known = all.get(id) ?? (await read(id));
        const now = known && (await step(known, hasRoom, term));
        if (now) all.set(id, now);
        else all.delete(id);
      }
      working();
      after = running.length < ROUND ? 0 : (running.at(-1) ?? 0);
      await pause(all.size > 0 ? LOOK_MS : IDLE_MS, term.signal);
    }
  });
}

/** Where the looking for what comes next begins. */
function beginning({ through, last }: StartedRecovery): Pick<Known, 'lookedThrough' | 'unmade'> {
  return { lookedThrough: through, unmade: last };
}
