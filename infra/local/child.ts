import type { ChildProcess } from 'node:child_process';
import { createBackoff } from '../backoff.ts';
import { CANNOT_START_CODE, CannotStart, DATA_DAMAGED_CODE } from './cannot-start.ts';

/** A program that the supervisor keeps running. */
export interface Program {
  readonly name: string;
  /** Starts it; with `wasReady` on the port that it had then. */
  launch(wasReady: boolean): Promise<ChildProcess>;
  /** Resolves when this process serves; may be given up when `signal` aborts. */
  whenReady(process: ChildProcess, signal: AbortSignal): Promise<void>;
  /** Resolves once it no longer serves although it runs, which only its end can mend; rejects when `signal` aborts. */
  whenSick?(process: ChildProcess, signal: AbortSignal): Promise<void>;
}

export type Child = ReturnType<typeof createChild>;

/** A program that ran this long has its first, short wait again when it dies, in ms. */
const STEADY_MS = 10_000;
/** So many times a program may die before it was ever ready. */
const FIRST_TRIES = 5;

/** Keeps one program running: started again when it dies, after 100 ms first, up to 5 s while it keeps dying. */
export function createChild(program: Program, { say, changed }: { say: (line: string) => void; changed: () => void }) {
  const { name } = program;
  const stopping = new AbortController();
  const ready = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  let wasReady = false;
  let current: ChildProcess | undefined;
  let running: Promise<void> | undefined;

  /** One life of the program; resolves when it is over, with how it ended. */
  async function live(): Promise<Ending> {
    const process = await program.launch(wasReady);
    const over = new AbortController();
    const ended = ending(process);
    current = process;
    changed();
    if (stopping.signal.aborted) process.kill('SIGTERM');
    program.whenReady(process, over.signal).then(
      () => {
        if (wasReady) say(`${name} is back`);
        wasReady = true;
        ready.resolve();
        endIfSick(process, over.signal);
      },
      () => {},
    );
    const how = await ended;
    over.abort();
    current = undefined;
    changed();
    return how;
  }

  function endIfSick(process: ChildProcess, signal: AbortSignal) {
    program.whenSick?.(process, signal).then(
      () => {
        say(`${name} runs, but does not answer any more: killing it`);
        process.kill('SIGKILL');
      },
      () => {},
    );
  }

  async function keepRunning(): Promise<void> {
    const backoff = createBackoff();
    for (let tries = 1; !stopping.signal.aborted; tries++) {
      const beganMs = performance.now();
      const how = await live().catch(notLaunched);
      if (stopping.signal.aborted) return;
      const isHopeless = !wasReady && (how.code === CANNOT_START_CODE || tries === FIRST_TRIES);
      if (isHopeless || how.code === DATA_DAMAGED_CODE) {
        throw new CannotStart(`${name} cannot ${wasReady ? 'go on' : 'start'} (${how.text})`);
      }
      if (performance.now() - beganMs > STEADY_MS) backoff.reset();
      say(`${name} ended (${how.text}), starting it again`);
      await backoff.wait(stopping.signal);
    }
  }

  return {
    name,
    pid: () => current?.pid,
    /**
     * Resolves when the program serves for the first time.
     * @throws CannotStart where it says that it can't, or has died too often
     */
    start(): Promise<void> {
      running = keepRunning().catch((error) => {
        ready.reject(error);
        failed.reject(error);
      });
      return ready.promise;
    },
    /** Never resolves. @throws CannotStart once it says that it cannot go on */
    whenFailed: (): Promise<never> => failed.promise,
    /** Asks it to stop, kills it after `withinMs`, resolves when it is gone. */
    async stop(withinMs: number): Promise<void> {
      stopping.abort();
      current?.kill('SIGTERM');
      const late = setTimeout(() => {
        say(`${name} did not stop in ${Math.round(withinMs / 1_000)} s: killing it`);
        current?.kill('SIGKILL');
      }, withinMs);
      await running;
      clearTimeout(late);
    },
  };
}

interface Ending {
  readonly text: string;
  readonly code: number | null;
}

function notLaunched(error: Error): Ending {
  return { text: error.message, code: error instanceof CannotStart ? CANNOT_START_CODE : null };
}

function ending(process: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    process.once('error', ({ message }) => resolve({ text: message, code: null }));
    process.once('exit', (code, signal) => resolve({ text: signal ? `by ${signal}` : `with code ${code}`, code }));
  });
}
