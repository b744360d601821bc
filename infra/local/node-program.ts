import { type ChildProcess, fork } from 'node:child_process';
import type { Program } from './child.ts';

/**
 * Collects garbage more often than Node does by itself, the young (MiB) and the old (percent by which the heap may grow before), so that the tree stays below
 * 700 MiB under sustained load. With 8 and 40 it is 80 MiB less, and a delivered event takes a sixth more CPU; with 8 and 100 it was above that after three minutes.
 */
const SMALL_HEAP = ['--max-semi-space-size=16', '--heap-growing-percent=70'];

/** Native memory too: glibc keeps what each thread has freed, and there is one thread here that allocates much. */
const FEW_ARENAS = { MALLOC_ARENA_MAX: '2' };

/** A Node process of our own: it says `{ ready: true }` over its channel, and stops when the channel is gone. */
export function nodeProgram(
  name: string,
  module: string,
  args: readonly string[],
  env: (wasReady: boolean) => Promise<NodeJS.ProcessEnv>,
): Program {
  return {
    name,
    async launch(wasReady) {
      return fork(module, args, {
        execArgv: [...process.execArgv, ...SMALL_HEAP],
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
