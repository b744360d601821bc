import { setTimeout as delay } from 'node:timers/promises';
import { isAlive } from './process-mark.ts';
import { aliveOn, type RunningProcess } from './run-file.ts';

/** How long processes of a dead run, which stop by themselves, have for it, in ms. */
const PATIENCE_MS = 1_000;
const LOOK_MS = 20;

/** Resolves when nothing is left of a run that was killed on this data directory. The caller holds the directory. */
export async function endLeftovers(dataDir: string, say: (line: string) => void): Promise<void> {
  const left = aliveOn(dataDir);
  if (left.length === 0) return;
  say(`the last run was killed: ending what is left of it (${left.map(({ name }) => name).join(', ')})`);
  for (const { pid } of left) signal(pid, 'SIGTERM');
  if (await areGone(left, PATIENCE_MS)) return;
  for (const { pid } of left.filter(isAlive)) signal(pid, 'SIGKILL');
  await areGone(left, PATIENCE_MS);
}

async function areGone(processes: readonly RunningProcess[], withinMs: number): Promise<boolean> {
  const untilMs = performance.now() + withinMs;
  while (processes.some(isAlive)) {
    if (performance.now() > untilMs) return false;
    await delay(LOOK_MS);
  }
  return true;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It went by itself in between.
  }
}
