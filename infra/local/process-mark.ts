import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process, told from a later one of the same pid. */
export interface MarkedProcess {
  readonly pid: number;
  /** When it began. Undefined where there was no such process, or only its exit code was left of it. */
  readonly mark: string | undefined;
}

export function markProcess(pid: number): MarkedProcess {
  return { pid, mark: markOf(pid) };
}

/** Whether it runs: also where it is stopped, no more where only its exit code is left. */
export function isAlive({ pid, mark }: MarkedProcess): boolean {
  return mark !== undefined && markOf(pid) === mark;
}

function markOf(pid: number): string | undefined {
  try {
    return process.platform === 'linux' ? markOnLinux(pid) : markElsewhere(pid);
  } catch {
    return undefined;
  }
}

function markOnLinux(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name, which may hold spaces and brackets.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticksSinceBoot = fields[18];
  return state === 'Z' ? undefined : `${bootId()} ${ticksSinceBoot}`;
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function markElsewhere(pid: number): string | undefined {
  const [state, ...began] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', `${pid}`], { encoding: 'utf8' })
    .trim()
    .split(' ');
  return state?.startsWith('Z') ? undefined : began.join(' ');
}
