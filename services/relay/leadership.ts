import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { pause } from '../../infra/pause.ts';
import { LEASE, type Lease, type Taken } from '../../infra/queue/lease.ts';
import type { RelayNote } from './registry.ts';

/** The time in which one relay leads. */
export interface Term extends Taken<RelayNote> {
  /** Which of this process's it is. */
  readonly number: number;
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
  /** Whether it is over by now: before another relay leads, also where this process stood still in between. */
  readonly isOver: () => boolean;
}

export interface LeadershipDeps {
  readonly lease: Lease<RelayNote>;
  /** What this relay would note where nobody has noted anything. */
  readonly ownNote: () => RelayNote;
  readonly log: Logger;
}

export type Leadership = ReturnType<typeof createLeadership>;

/** Sees to it that one relay of all nodes leads: holds the lease, or waits for it, and notes in it what the next leader has to know. */
export function createLeadership({ lease, ownNote, log }: LeadershipDeps) {
  const stopping = new AbortController();
  let term: { readonly over: AbortController; readonly taken: Taken<RelayNote>; note: () => RelayNote } | undefined;
  let number = 0;
  let began = Promise.withResolvers<void>();
  let running: Promise<void> | undefined;
  let isFailing = false;
  /** Whether its table has been in step with the leader: one that still reads a long log had better leave it to another to lead. */
  let isInStep = false;

  async function look() {
    const taken = await lease.look(() => term?.note() ?? ownNote(), isInStep ? 0 : LEASE.goneMs);
    if (!taken) return;
    term?.over.abort();
    number += 1;
    const note = () => taken.found ?? ownNote();
    term = { over: new AbortController(), taken, note };
    log.info({ position: note().position }, 'this relay leads');
    began.resolve();
  }

  function endIfLost() {
    if (!term || lease.isHeld()) return;
    term.over.abort();
    term = undefined;
    began = Promise.withResolvers<void>();
    log.warn('this relay leads no longer');
  }

  async function keepLooking() {
    while (!stopping.signal.aborted) {
      try {
        await look();
        isFailing = false;
      } catch (error) {
        if (!isFailing) log.warn({ err: error }, 'the lease of the relay can neither be taken nor renewed');
        isFailing = true;
      }
      endIfLost();
      await pause(LEASE.lookMs, stopping.signal);
    }
  }

  /** By the clock too: an answer of the broker may be long in coming. */
  const watch = setInterval(endIfLost, LEASE.lookMs);
  watch.unref();

  const service: Service = {
    name: 'leadership',
    start: async () => {
      running = keepLooking();
    },
    async stop() {
      stopping.abort();
      await running;
      clearInterval(watch);
      const note = (term?.note ?? ownNote)();
      term?.over.abort();
      await lease.release(note).catch((error) => log.warn({ err: error }, 'the lease of the relay was not given up'));
    },
  };
  return {
    ...service,
    /** Whether this relay leads now. */
    isLeading(): boolean {
      endIfLost();
      return term !== undefined;
    },
    /** Up to where the leader has noted that all is on the queue; -1 where that is not known. */
    notedPosition: (): number => lease.noted()?.position ?? -1,
    /** Says that this relay knows all that the leader does. */
    isInStep(): void {
      isInStep = true;
    },
    /** Resolves once this relay leads. @throws where `signal` aborts before that */
    async whenLeading(signal: AbortSignal): Promise<Term> {
      while (!term) {
        signal.throwIfAborted();
        await Promise.race([began.promise, whenAborted(signal)]);
      }
      const { over, taken } = term;
      const isOver = () => {
        endIfLost();
        return signal.aborted || over.signal.aborted;
      };
      return { ...taken, number, signal: AbortSignal.any([signal, over.signal]), isOver };
    },
    /** From now on, while this relay leads, this is noted. */
    setNote(note: () => RelayNote): void {
      if (term) term.note = note;
    },
  };
}

const whenAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
