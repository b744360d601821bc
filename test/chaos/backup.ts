import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runWith } from '../e2e/backup/command.ts';
import { type ChaosStack, SETTINGS } from './chaos-stack.ts';
import { type Violation, violation } from './checks/violation.ts';

/** Between two tries, in ms. */
const AGAIN_MS = 500;
/** How long one may take, in ms: longer than the store is ever stopped. */
const LONGEST_MS = 60_000;

export interface Backup {
  readonly file: string;
  /** When the command that succeeded was started: what was acknowledged before that is in it. */
  readonly beganMs: number;
}

/**
 * Takes a backup while everything goes on. What goes wrong meanwhile may keep it from being taken: then the command says so in one line and leaves nothing behind,
 * and it is tried again until `signal` aborts.
 */
export async function takeBackup(
  stack: ChaosStack,
  dir: string,
  afterMs: number,
  signal: AbortSignal,
): Promise<{ backup: Backup | undefined; violations: Violation[] }> {
  mkdirSync(dir);
  const violations: Violation[] = [];
  await delay(afterMs);
  for (;;) {
    const backup = { file: join(dir, 'backup'), beganMs: Date.now() };
    const settings = { ...SETTINGS, EVENTSTORE_URL: stack.storeUrl() };
    const { code, stderr } = await Promise.race([runWith(settings, 'backup', stack.dataDir, backup.file), tooLong()]);
    if (code === 0) return { backup, violations };
    const left = readdirSync(dir);
    const isClean = code === 1 && stderr.trim().split('\n').length === 1 && left.length === 0;
    if (!isClean) violations.push(violation('a backup fails badly', { code, stderr, left }));
    else if (signal.aborted) violations.push(violation('no backup can be taken', stderr));
    if (violations.length > 0) return { backup: undefined, violations };
    await delay(AGAIN_MS);
  }
}

async function tooLong() {
  await delay(LONGEST_MS, undefined, { ref: false });
  return { code: null, stderr: `no end in ${LONGEST_MS} ms` };
}
