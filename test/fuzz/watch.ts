import { execFileSync } from 'node:child_process';
import type { Stack } from '../support/stack.ts';

/** Those whose ports are fuzzed. */
const WATCHED = ['gateway', 'eventstore', 'nats-server'];
const MIB = 1_024 * 1_024;
/**
 * What a process may grow by once it is warm: a message of 150,000 events makes a heap grow that is not given back at once. What a leak of 2 KiB for each thing
 * sent makes of ten minutes is more.
 */
const MAX_GROWTH_BYTES = 256 * MIB;

export interface Watch {
  /** @throws Error where one of them has died, or has grown since `isWarm` */
  check(): void;
  /** From now on they may not grow any more. */
  isWarm(): void;
  /** What they hold now, in one line. */
  told(): string;
}

/** Watches the processes of a stack: the supervisor starts one that dies again, as if nothing had been. */
export async function watch(stack: Stack): Promise<Watch> {
  const atFirst = await watched(stack);
  const names = atFirst.map(({ name }) => name);
  if (names.length !== WATCHED.length) throw new Error(`of ${WATCHED.join(', ')} only ${names.join(', ')} run`);
  let warm: ReadonlyMap<string, number> | undefined;

  const memory = () => new Map(atFirst.map(({ name, pid }) => [name, residentBytes(name, pid)]));
  return {
    check() {
      for (const [name, bytes] of memory()) {
        const before = warm?.get(name) ?? Number.POSITIVE_INFINITY;
        if (bytes > before + MAX_GROWTH_BYTES) {
          throw new Error(`${name} has grown from ${mib(before)} to ${mib(bytes)}`);
        }
      }
    },
    isWarm() {
      warm = memory();
    },
    told: () => [...memory()].map(([name, bytes]) => `${name} ${mib(bytes)}`).join(', '),
  };
}

async function watched(stack: Stack) {
  return (await stack.processes()).filter(({ name }) => WATCHED.includes(name));
}

/** @throws Error where it is gone */
function residentBytes(name: string, pid: number): number {
  try {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', `${pid}`], { encoding: 'utf8' })) * 1_024;
  } catch (error) {
    throw new Error(`${name} (process ${pid}) has died`, { cause: error });
  }
}

const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
