export { errorOf } from '../../support/error-of.ts';

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent, type ResolvedEvent } from '@eventstore/db-client';
import { startEventstore } from '../../../infra/local/eventstore/eventstore.ts';

export const MAIN = join(import.meta.dirname, '../../../infra/local/eventstore/main.ts');
export const CREDENTIALS = { username: 'admin', password: 'changeit' };

type Event = ReturnType<typeof event>;

/** Ends what a test file has started, last first. */
const cleanups: (() => unknown)[] = [];

export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

export async function endAll(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'eventstore-'));
  atEnd(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function connect(port: number, options = ''): EventStoreDBClient {
  const client = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${port}?tls=false${options}`);
  atEnd(() => client.dispose());
  return client;
}

/** A server in this process, with an empty directory. */
export async function startServer(maxAppendSize = 1024 * 1024) {
  const server = await startEventstore({ dataDir: temporaryDirectory(), host: '127.0.0.1', port: 0, maxAppendSize });
  atEnd(() => server.stop());
  return server;
}

/** A server as a child process with a channel to us, as the stack starts it. */
export async function spawnServer(
  dataDir: string,
  env: Record<string, string> = {},
  stdio: SpawnOptions['stdio'] = ['ignore', 'inherit', 'inherit', 'ipc'],
) {
  const child = spawnNode([MAIN], { env: { PORT: '0', DATA_DIR: dataDir, ...env }, stdio });
  const [message] = await once(child, 'message');
  return { child, port: (message as { port: number }).port, exited: once(child, 'exit') };
}

export function spawnNode(args: readonly string[], options: SpawnOptions): ChildProcess {
  return spawnChild(process.execPath, args, options);
}

export function spawnChild(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, { ...options, env: { PATH: process.env.PATH, ...options.env } });
  atEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  return child;
}

export function event(data: unknown = {}, type = 'Happened', id?: string) {
  return jsonEvent({ type, data: data as Record<string, unknown>, ...(id && { id }) });
}

export function events(count: number): Event[] {
  return Array.from({ length: count }, (_, n) => event({ n }));
}

let streams = 0;

/** A name that no other test has used. */
export function newStream(prefix = 'stream'): string {
  return `${prefix}-${++streams}`;
}

export async function collect<T>(read: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of read) all.push(item);
  return all;
}

export function revisions(read: readonly ResolvedEvent[]): number[] {
  return read.map(({ event: recorded }) => Number(recorded?.revision));
}
