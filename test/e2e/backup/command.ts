import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stackEnv } from '../../support/stack.ts';

const LOCAL = join(import.meta.dirname, '../../../infra/local');

type Command = 'backup' | 'restore' | 'check-store';

/** Runs one of the commands as npm would. */
export function run(command: Command, dataDir: string, ...args: string[]) {
  return runWith({}, command, dataDir, ...args);
}

export async function runWith(settings: Record<string, string>, command: Command, dataDir: string, ...args: string[]) {
  const child = spawn(process.execPath, [join(LOCAL, `${command}.ts`), ...args], {
    env: { ...stackEnv(), ...settings, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code: code as number, stdout, stderr };
}
