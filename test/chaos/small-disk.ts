import { spawnSync } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';

/** Room on it while it is not full, in MiB: it takes memory only for what it holds. */
const ROOM_MIB = 1_024;
const PAGE = 4_096;

export interface SmallDisk {
  /** Leaves room for so many bytes more. */
  fill(leftBytes: number): void;
  free(): void;
  unmount(): void;
}

/** A directory on a disk of its own; undefined where this user or system cannot have one, and then the directory is an ordinary one. */
export function mountSmallDisk(dir: string): SmallDisk | undefined {
  mkdirSync(dir, { recursive: true });
  const canMount = process.platform === 'linux' && process.getuid?.() === 0;
  if (!canMount || !run('mount', '-t', 'tmpfs', '-o', `size=${ROOM_MIB}m,mode=700`, 'tmpfs', dir)) return undefined;
  const resize = (bytes: number) => run('mount', '-o', `remount,size=${bytes}`, dir);
  const unmount = () => void run('umount', '-l', dir);
  process.once('exit', unmount);
  return {
    fill(leftBytes) {
      const { blocks, bfree, bsize } = statfsSync(dir);
      const used = (blocks - bfree) * bsize;
      resize(Math.ceil((used + leftBytes) / PAGE) * PAGE || PAGE);
    },
    free: () => void resize(ROOM_MIB * 1_024 * 1_024),
    unmount() {
      process.off('exit', unmount);
      unmount();
    },
  };
}

function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
