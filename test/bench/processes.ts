import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Kernel clock ticks are 10 ms on every Linux that Node runs on. */
const TICK_MS = 10;
/** What `blocks` of a file's status counts, in bytes. */
const BLOCK_BYTES = 512;

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

/** What the files in a directory take on the disk, in MiB. */
export function diskMiB(dir: string): number {
  let bytes = 0;
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    // Files come and go meanwhile.
    bytes += (lstatSync(join(dir, name), { throwIfNoEntry: false })?.blocks ?? 0) * BLOCK_BYTES;
  }
  return bytes / 1_024 / 1_024;
}
