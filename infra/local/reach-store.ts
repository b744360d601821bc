import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CannotStart } from './cannot-start.ts';
import { fileIn } from './eventstore/store/database.ts';
import { isAlive } from './process-mark.ts';
import { readRun } from './run-file.ts';

const EVENTSTORE_MAIN = join(import.meta.dirname, 'eventstore/main.ts');

export interface ReachedStore {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * The event store that the settings name, or else the one that runs on this data directory; where none does, it is started for this alone, until `close`.
 * @throws CannotStart
 */
export async function reachStore(dataDir: string, eventstoreUrl: string | undefined): Promise<ReachedStore> {
  const url = eventstoreUrl ?? runningUrl(dataDir);
  return url === undefined ? startAlone(dataDir) : { url, close: async () => {} };
}

/** Where the store of a run listens that has not ended; one that was killed has left its note. */
function runningUrl(dataDir: string): string | undefined {
  const { processes = [], eventstoreUrl } = readRun(dataDir) ?? {};
  return processes.some(isAlive) ? eventstoreUrl : undefined;
}

async function startAlone(dataDir: string): Promise<ReachedStore> {
  const storeDir = resolve(dataDir, 'eventstore');
  if (!existsSync(fileIn(storeDir))) throw new CannotStart(`DATA_DIR ${dataDir} holds no event store`);
  const env = { ...process.env, HOST: '127.0.0.1', PORT: '0', DATA_DIR: storeDir };
  // What it says is for people: our own output may be for programs.
  const child = fork(EVENTSTORE_MAIN, [], { env, stdio: ['ignore', 2, 2, 'ipc'] });
  const exited = once(child, 'exit');
  const ready = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  if (!ready) throw new CannotStart('the event store does not start');
  const [{ port }] = ready as [{ port: number }];
  const close = async () => {
    child.disconnect();
    await exited;
  };
  return { url: `esdb://127.0.0.1:${port}?tls=false`, close };
}
