import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endLeftovers } from '../../infra/local/leftovers.ts';
import { isAlive } from '../../infra/local/process-mark.ts';
import { aliveOn, type Run, readRun } from '../../infra/local/run-file.ts';
import { VARIABLES } from '../../infra/settings.ts';
import { waitFor } from './wait.ts';

const MAIN = join(import.meta.dirname, '../../services/main.ts');
const HOME = mkdtempSync(join(tmpdir(), 'webhooks-test-'));
process.once('exit', () => rmSync(HOME, { recursive: true, force: true }));

export interface Stack {
  readonly url: string;
  readonly dataDir: string;
  /** Of the supervisor. */
  readonly pid: number;
  /** What it was started with. */
  readonly env: NodeJS.ProcessEnv;
  /** What the supervisor has noted as running, itself first. One that has just been killed may still be there, and then is missing until it is started again. */
  processes(): Promise<{ name: string; pid: number }[]>;
  /** The pid of the process of this name: of the next one where it is being started again. */
  pidOf(name: string): Promise<number>;
  /** What the supervisor has noted: URLs and processes. */
  run(): Promise<Run>;
  /** Stops it as SIGTERM does and resolves with the exit code. The data directory stays until the tests have ended. */
  stop(): Promise<number>;
  /** Kills the process of this name, or the next one where it is being started again, and resolves with its pid when it is gone. */
  kill9(name: string): Promise<number>;
  /** Kills every process of it at once and resolves when all are gone. The data directory stays. */
  kill9All(): Promise<void>;
  /** All that its processes printed so far. */
  output(): string;
}

/**
 * Starts everything as `npm start` does, on a free port and, unless `dataDir` names one, with nothing stored yet.
 * @throws Error with what it printed, where it does not start
 */
export async function startStack(options: { env?: Record<string, string>; dataDir?: string } = {}): Promise<Stack> {
  const dataDir = options.dataDir ?? newDataDir();
  const env = { ...stackEnv(), ...options.env, DATA_DIR: dataDir };
  const supervisor = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = collectOutput(supervisor);
  const exited = once(supervisor, 'exit').then(([code]) => code as number);
  const url = await Promise.race([whenReady(supervisor), exited]);
  if (typeof url !== 'string') throw new Error(`the stack did not start (exit code ${url}):\n${output()}`);

  const whenRunning = (name: string) =>
    waitFor(`a process ${name}`, () => aliveOn(dataDir).find((process) => process.name === name));

  return {
    ...{ url, dataDir, pid: supervisor.pid as number, env, output },
    run: async () => readRun(dataDir) ?? { processes: [] },
    processes: async () => [...(readRun(dataDir)?.processes ?? [])],
    pidOf: async (name) => (await whenRunning(name)).pid,
    async stop() {
      supervisor.kill('SIGTERM');
      const code = await exited;
      await endLeftovers(dataDir, () => {});
      return code;
    },
    async kill9(name) {
      const running = await whenRunning(name);
      process.kill(running.pid, 'SIGKILL');
      await waitFor(`the end of ${name}`, () => !isAlive(running));
      return running.pid;
    },
    async kill9All() {
      const processes = aliveOn(dataDir);
      // The supervisor comes first: it would start the others again.
      for (const running of processes) if (isAlive(running)) process.kill(running.pid, 'SIGKILL');
      await exited;
      await waitFor('the end of all processes', () => !processes.some(isAlive));
    },
  };
}

/** An empty directory that goes when this process does. */
export function newDataDir(): string {
  return mkdtempSync(join(HOME, 'stack-'));
}

/** The environment without the developer's own settings, which are none of a test's. */
export function stackEnv(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !VARIABLES.includes(name));
  return { ...Object.fromEntries(others), PORT: '0', LOG_LEVEL: 'warn' };
}

/** All that a process prints, so far. */
export function collectOutput({ stdout, stderr }: ChildProcess): () => string {
  let text = '';
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
  }
  return () => text;
}

function whenReady(supervisor: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    supervisor.on('message', (message: { ready?: boolean; url: string }) => {
      if (message.ready) resolve(message.url);
    });
  });
}
