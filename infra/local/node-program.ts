import { type ChildProcess, fork } from 'node:child_process';
import type { Program } from './child.ts';

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
      return fork(module, args, { env: await env(wasReady), stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
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
