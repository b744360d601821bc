import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Client, type ClientDuplexStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { CannotStart } from '../cannot-start.ts';
import { decode, encode, type HeldFile, HOLD_FILE_PATH } from '../eventstore/rpc/hold-file.ts';
import { fileIn } from '../eventstore/store/database.ts';
import { processMark } from '../process-mark.ts';
import { readRun } from '../run-file.ts';

const EVENTSTORE_MAIN = join(import.meta.dirname, '../eventstore/main.ts');

interface Source {
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Lets `copy` work on the store's file while it stays as it is. The store is the one that runs on this data directory; where none
 * does, it is started for this alone.
 * @throws CannotStart where there is no store, or it did not hold the file to the end
 */
export async function withHeldStore(
  dataDir: string,
  eventstoreUrl: string | undefined,
  copy: (held: HeldFile) => Promise<void>,
): Promise<void> {
  const url = eventstoreUrl ?? runningUrl(dataDir);
  const source = url === undefined ? await startAlone(dataDir) : { address: new URL(url).host, close: async () => {} };
  const client = new Client(source.address, credentials.createInsecure());
  try {
    await hold(client, copy);
  } catch (error) {
    throw asLine(error, source);
  } finally {
    client.close();
    await source.close();
  }
}

async function hold(client: Client, copy: (held: HeldFile) => Promise<void>): Promise<void> {
  const call: ClientDuplexStream<unknown, unknown> = client.makeBidiStreamRequest(HOLD_FILE_PATH, encode, decode);
  const over = Promise.withResolvers<void>();
  over.promise.catch(() => {});
  call.on('error', over.reject).on('end', over.resolve);
  const [held] = (await Promise.race([once(call, 'data'), over.promise])) as [HeldFile];
  try {
    await Promise.race([
      copy(held),
      over.promise.then(() => Promise.reject(new Error('the store let go of its file'))),
    ]);
  } catch (error) {
    call.cancel();
    throw error;
  }
  call.end();
  await over.promise;
}

/** Where the store of a run listens that has not ended; one that was killed has left its note. */
function runningUrl(dataDir: string): string | undefined {
  const { processes = [], eventstoreUrl } = readRun(dataDir) ?? {};
  const isRunning = processes.some(({ pid, mark }) => mark !== undefined && processMark(pid) === mark);
  return isRunning ? eventstoreUrl : undefined;
}

async function startAlone(dataDir: string): Promise<Source> {
  const storeDir = resolve(dataDir, 'eventstore');
  if (!existsSync(fileIn(storeDir))) throw new CannotStart(`DATA_DIR ${dataDir} holds no event store`);
  const env = { ...process.env, HOST: '127.0.0.1', PORT: '0', DATA_DIR: storeDir };
  const child = fork(EVENTSTORE_MAIN, [], { env });
  const exited = once(child, 'exit');
  const ready = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  if (!ready) throw new CannotStart('there is no backup: the event store does not start');
  const [{ port }] = ready as [{ port: number }];
  const close = async () => {
    child.disconnect();
    await exited;
  };
  return { address: `127.0.0.1:${port}`, close };
}

function asLine(error: unknown, { address }: Source): unknown {
  const { code, details } = error as Partial<ServiceError>;
  if (details === undefined) return error;
  if (code === status.UNIMPLEMENTED) {
    return new CannotStart(`the event store at ${address} is not a local one: back it up with its own tools`);
  }
  return new CannotStart(`there is no backup: the event store at ${address} says: ${details}`);
}
