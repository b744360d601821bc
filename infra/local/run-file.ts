import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type MarkedProcess, markProcess } from './process-mark.ts';

export interface RunningProcess extends MarkedProcess {
  readonly name: string;
}

/** What runs on a data directory: for the next run, should this one be killed, and for tests. */
export interface Run {
  readonly processes: readonly RunningProcess[];
  readonly url?: string;
  readonly eventstoreUrl?: string;
  readonly natsUrl?: string;
  /** It has been told to stop. */
  readonly stopping?: boolean;
}

const fileIn = (dataDir: string) => join(dataDir, 'run.json');

export function readRun(dataDir: string): Run | undefined {
  try {
    return JSON.parse(readFileSync(fileIn(dataDir), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Those of its processes that still run, in the order in which they were noted: one that was killed may be noted until its end is seen. */
export function aliveOn(dataDir: string): RunningProcess[] {
  return (readRun(dataDir)?.processes ?? []).filter(isAlive);
}

/** Replaces the file as a whole, so that nobody reads half of it. */
export function writeRun(dataDir: string, run: Run): void {
  const draft = `${fileIn(dataDir)}.draft`;
  writeFileSync(draft, JSON.stringify(run, null, 2), { mode: 0o600 });
  renameSync(draft, fileIn(dataDir));
}

export function removeRun(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true });
}

export function running(name: string, pid: number): RunningProcess {
  return { name, ...markProcess(pid) };
}
