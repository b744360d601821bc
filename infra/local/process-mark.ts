import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * What tells a process from a later one of the same pid: when it began. Undefined where there is no such process, or only
 * its exit code is left of it.
 */
export function processMark(pid: number): string | undefined {
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
