import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What went wrong and what to do about it, in one line for whoever started this. */
export class SetupError extends Error {}

/** What the last command that failed has printed: it may be long. */
const LOG = join(import.meta.dirname, '../../.runtime/setup.log');
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a command to its end.
 * @throws SetupError with `advice`, if there is any
 */
export async function run(command, args, { name = command, advice = '', ...options } = {}) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => output.push(part));
  const stop = stopWithUs(child);
  const problem = await new Promise((done) => {
    child.once('error', ({ message }) => done(message));
    child.once('close', (code, signal) =>
      done(code === 0 ? undefined : `${name} ended with ${signal ?? `code ${code}`}`),
    );
  });
  stop.release();
  if (problem === undefined) return;
  mkdirSync(dirname(LOG), { recursive: true });
  writeFileSync(LOG, Buffer.concat(output));
  throw new SetupError(`${problem} (see ${LOG}). ${advice}`.trimEnd());
}

/** npm, whichever runs us, or the one on PATH. */
export function npm(args, options) {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js')
    ? run(process.execPath, [script, ...args], { name: 'npm', ...options })
    : run('npm', args, options);
}

/** A set-up that is stopped stops its command too, and leaves the rest to the next one. */
function stopWithUs(child) {
  const stop = (signal) => {
    child.kill(signal);
    process.exit(1);
  };
  for (const signal of STOP_SIGNALS) process.once(signal, stop);
  return {
    release() {
      for (const signal of STOP_SIGNALS) process.off(signal, stop);
    },
  };
}
