import type { Cores } from './cores.ts';
import type { Timeline } from './timeline.ts';

interface Task {
  readonly cpuMs: number;
  readonly effect: () => void;
}

/** What an event loop is made of. */
export interface LoopOptions {
  /** What a turn costs whatever it finds to do, in ms of CPU: waking up, polling, a commit. */
  readonly turnMs: number;
  /** What is done at the end of a turn; returns for how long the thread then waits without a core (a flush to disk), in ms, and what follows. */
  readonly afterTurn?: () => { readonly waitMs: number; readonly afterwards: () => void } | undefined;
}

export type EventLoop = ReturnType<typeof createEventLoop>;

/**
 * A process with one thread, as Node has it: a turn takes all that is ready, one task after the other, and what becomes ready meanwhile waits for the next. So the
 * more there is to do, the less a task costs: that is where batches come from.
 */
export function createEventLoop(timeline: Timeline, cores: Cores, { turnMs, afterTurn }: LoopOptions) {
  let ready: Task[] = [];
  let isAwake = false;
  let cpuMs = 0;
  let turns = 0;
  let tasks = 0;
  const atEnd: (() => void)[] = [];

  function turn() {
    const batch = ready;
    ready = [];
    if (batch.length === 0) {
      isAwake = false;
      return;
    }
    turns += 1;
    next(batch, 0, turnMs);
  }

  function next(batch: readonly Task[], index: number, beforeMs: number) {
    const task = batch[index];
    if (!task) {
      end();
      return;
    }
    const takesMs = beforeMs + task.cpuMs;
    cores.run(takesMs, () => {
      cpuMs += takesMs;
      tasks += 1;
      task.effect();
      next(batch, index + 1, 0);
    });
  }

  function end() {
    for (const effect of atEnd.splice(0)) effect();
    const waiting = afterTurn?.();
    if (!waiting) {
      turn();
      return;
    }
    timeline.after(waiting.waitMs, () => {
      waiting.afterwards();
      turn();
    });
  }

  return {
    /** @param effect what it brings about, once its CPU is spent */
    post(cpuMs: number, effect: () => void): void {
      ready.push({ cpuMs, effect });
      if (isAwake) return;
      isAwake = true;
      // What comes at the same time wakes it once.
      timeline.after(0, turn);
    },
    /** Brings something about at the end of the turn that runs: what it sends. Where processes are more than cores, whoever it is for hardly runs before. */
    atEndOfTurn: (effect: () => void): void => void atEnd.push(effect),
    /** What it has used and done so far. */
    used: () => ({ cpuMs, turns, tasks }),
  };
}
