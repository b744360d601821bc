import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stackEnv } from './stack.ts';

const ROOT = join(import.meta.dirname, '../..');

/** As `npx webhooks-audit` from the checkout. */
export function launchAudit(dataDir: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['infra/setup/webhooks-audit.mjs', ...args], {
    ...{ cwd: ROOT, env: { ...stackEnv(), DATA_DIR: dataDir } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs it to its end. */
export async function audit(dataDir: string, ...args: string[]) {
  const child = launchAudit(dataDir, args);
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
  ]);
  return { code: code as number, stdout, stderr };
}
