import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { CannotStart } from './cannot-start.ts';
import { readRun } from './run-file.ts';

/** https://sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5;

/** How long a run that is stopping is waited for, in ms. */
const STOPPING_MS = 30_000;
/** As long for one that may not have noticed yet that it is to stop: its parent was killed. */
const GRACE_MS = 1_500;
const LOOK_MS = 50;

/**
 * Makes the directory where there is none, and holds it until `release` or the end of this process, however it ends: the
 * lock is the kernel's, on a file that SQLite keeps in exclusive use.
 * @throws CannotStart where another run holds it, or it cannot be written
 */
export async function holdDataDir(dataDir: string, say: (line: string) => void): Promise<{ release(): void }> {
  const beganMs = performance.now();
  for (let isTold = false; ; await delay(LOOK_MS)) {
    const hold = tryHolding(dataDir);
    if (hold) return hold;
    const isStopping = readRun(dataDir)?.stopping === true;
    if (isStopping && !isTold) say('waiting for the last run, which is still stopping');
    isTold ||= isStopping;
    if (performance.now() - beganMs < (isStopping ? STOPPING_MS : GRACE_MS)) continue;
    throw new CannotStart(`DATA_DIR ${dataDir} is in use by another run: stop that one first`);
  }
}

function tryHolding(dataDir: string): { release(): void } | undefined {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const lock = new DatabaseSync(join(dataDir, 'lock.db'));
    lock.exec('BEGIN EXCLUSIVE');
    return { release: () => lock.close() };
  } catch (error) {
    const { errcode, message } = error as { errcode?: number; message: string };
    if (errcode === SQLITE_BUSY) return undefined;
    throw new CannotStart(`DATA_DIR ${dataDir} cannot be used: ${message}`);
  }
}
