import { readFileSync } from 'node:fs';

/** Kernel clock ticks are 10 ms on every Linux that Node runs on. */
const TICK_MS = 10;

/** CPU time that a process has used, user and system, in ms. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Memory of a process in MiB: its share of what it shares included (PSS), so that a tree adds up. */
export function memoryMiB(pid: number): number {
  const [, kib] = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kib) / 1_024;
}
