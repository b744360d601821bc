import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Program } from '../../infra/local/child.ts';

export type Running = ReturnType<typeof createRunning>;

/** A program that a test starts, kills and starts again as it likes: nobody else starts it. */
export function createRunning(program: Program) {
  let child: ChildProcess | undefined;
  let gone: Promise<unknown> = Promise.resolve();
  let wasReady = false;

  /** Resolves once it serves. @throws Error where it ends before that */
  async function start(): Promise<void> {
    const started = await program.launch(wasReady);
    const over = new AbortController();
    child = started;
    gone = once(started, 'exit').then(() => {
      child = undefined;
      over.abort();
    });
    const ended = gone.then(() => Promise.reject(new Error(`${program.name} ended before it served`)));
    const ready = program.whenReady(started, over.signal).then(() => {
      wasReady = true;
    });
    await Promise.race([ready, ended]);
    ended.catch(() => {});
  }

  return {
    name: program.name,
    start,
    /** Of its process. @throws Error where it does not run */
    pid(): number {
      if (child?.pid === undefined) throw new Error(`${program.name} does not run`);
      return child.pid;
    },
    signal(signal: NodeJS.Signals): void {
      process.kill(this.pid(), signal);
    },
    /** Resolves when it is gone, also where it was stopped or did not run. */
    async kill9(): Promise<void> {
      child?.kill('SIGKILL');
      await gone;
    },
    /** Tells it to stop; resolves when it is gone. What stands still goes on first. */
    async stop(): Promise<void> {
      child?.kill('SIGTERM');
      child?.kill('SIGCONT');
      await gone;
    },
  };
}
