import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import type { Program } from '../../infra/local/child.ts';

/** A Node process of ours that says `{ ready: true }`; what it prints goes to a file. */
export function loggedProgram(
  name: string,
  module: string,
  env: () => Promise<NodeJS.ProcessEnv>,
  logFile: string,
): Program {
  return {
    name,
    async launch() {
      const log = openSync(logFile, 'a');
      const child = fork(module, [], { env: await env(), stdio: ['ignore', log, log, 'ipc'] });
      closeSync(log);
      return child;
    },
    whenReady: (child: ChildProcess) =>
      new Promise((resolve) => {
        child.on('message', (message: { ready?: boolean } | null) => {
          if (message?.ready) resolve();
        });
      }),
  };
}

/** The same program; told to, it throws its directory away before its next start. */
export function wipeable(program: Program, dir: string): Program & { wipe(): void } {
  let isWiped = false;
  return {
    ...program,
    wipe() {
      isWiped = true;
    },
    launch(wasReady) {
      if (isWiped) rmSync(dir, { recursive: true, force: true });
      isWiped = false;
      return program.launch(wasReady);
    },
  };
}

/** A gate before the starts of programs: those that end while somebody holds it wait there. */
export function createGate() {
  let holders = 0;
  let open = Promise.withResolvers<void>();
  return {
    /** @returns lets go of it, once */
    hold(): () => void {
      if (holders === 0) open = Promise.withResolvers();
      holders += 1;
      let isHeld = true;
      return () => {
        if (isHeld) holders -= 1;
        isHeld = false;
        if (holders === 0) open.resolve();
      };
    },
    before: (program: Program): Program => ({
      ...program,
      async launch(wasReady) {
        while (holders > 0) await open.promise;
        return program.launch(wasReady);
      },
    }),
  };
}
