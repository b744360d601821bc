import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { isAlive, markProcess } from '../../../infra/local/process-mark.ts';
import { stackEnv } from '../../support/stack.ts';
import { waitFor } from '../../support/wait.ts';

const ROOT = join(import.meta.dirname, '../../..');

export const MAIN = ['services/main.ts'];
/** As on a Node that cannot become another program: a parent stays. */
export const BEHIND_PARENT = ['--import', 'data:text/javascript,delete process.execve', 'infra/setup/run.mjs', ...MAIN];

/** As a terminal would start it: the leader of a process group of its own. */
export function launch(command: readonly string[], settings: Record<string, string>) {
  const env = { ...stackEnv(), ...settings };
  const leader = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...command], {
    ...{ cwd: ROOT, env, detached: true },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = leader.pid as number;
  let output = '';
  for (const stream of [leader.stdout, leader.stderr]) {
    stream.setEncoding('utf8').on('data', (part) => {
      output += part;
    });
  }
  const exited = once(leader, 'close').then(([code]) => code as number | null);

  async function whenPrinted(text: RegExp): Promise<RegExpExecArray> {
    let isOver = false;
    exited.then(() => {
      isOver = true;
    });
    const found = await waitFor(`${text}`, () => text.exec(output) ?? isOver);
    if (found === true) throw new Error(`it ended:\n${output}`);
    return found as RegExpExecArray;
  }

  return {
    pid,
    /** Resolves with the exit code when it has ended and nobody holds its output any more. */
    exited,
    output: () => output,
    whenPrinted,
    /** Resolves with the URL when it has told where to go. */
    whenOpen: async () => (await whenPrinted(/Open +(\S+)/))[1] as string,
    signalGroup: (signal: NodeJS.Signals) => process.kill(-pid, signal),
    /** It and all that it started, directly or not. */
    tree: () => treeOf(pid).map(markProcess),
  };
}

export type Launched = ReturnType<typeof launch>;

/** Resolves when none of these processes is left. */
export async function whenGone(processes: ReturnType<Launched['tree']>, patienceMs = 10_000): Promise<void> {
  const left = () => processes.filter(isAlive).map(({ pid }) => pid);
  await waitFor('the end of processes', left, ({ length }) => length === 0, patienceMs);
}

function treeOf(root: number): number[] {
  const table = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = table.map((line) => line.trim().split(/\s+/).map(Number));
  const tree = [root];
  for (const parent of tree) tree.push(...pairs.filter(([, ppid]) => ppid === parent).map(([pid]) => pid as number));
  return tree;
}
