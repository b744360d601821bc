import { type ChildProcess, fork } from 'node:child_process';
import type { Program } from './child.ts';

/** Room for young garbage, in MiB: a process that has more than a few MB in hand at a time collects much of it as old, which takes a fifth of its CPU. */
const YOUNG_MIB = 8;
/**
 * Collects old garbage more often than Node does by itself: by so many percent the heap may grow before. With 40 a delivered event takes a tenth more CPU; with 100 the tree
 * was above 700 MiB after three minutes of full load.
 */
const GROWTH = 60;

/**
 * What a request makes while it waits mostly outlives two collections, so that V8 takes to making some of it as old from the start. That becomes garbage as well, which then keeps
 * alive all the young that hangs on it: half of the gateways took half as much CPU again, from their first seconds on. The image is started with it too.
 */
const MADE_YOUNG = '--no-allocation-site-pretenuring';

/** Native memory too: glibc keeps what each thread has freed, and there is one thread here that allocates much. */
const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' };

/** A Node process of our own: it says `{ ready: true }` over its channel, and stops when the channel is gone. */
export function nodeProgram(
  name: string,
  module: string,
  args: readonly string[],
  env: (wasReady: boolean) => Promise<NodeJS.ProcessEnv>,
  youngMib = YOUNG_MIB,
): Program {
  return {
    name,
    async launch(wasReady) {
      return fork(module, args, {
        execArgv: [
          ...process.execArgv,
          MADE_YOUNG,
          `--max-semi-space-size=${youngMib}`,
          `--heap-growing-percent=${GROWTH}`,
        ],
        env: { ...FEW_ARENAS, ...(await env(wasReady)) },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
    },
    whenReady: (process) => whenSaidReady(process),
  };
}

function whenSaidReady(process: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    process.on('message', (message: { ready?: boolean } | null) => {
      if (message?.ready) resolve();
    });
  });
}
