import { once } from 'node:events';
import { Client, type ClientDuplexStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { CannotStart } from '../cannot-start.ts';
import { decode, encode, type HeldFile, HOLD_FILE_PATH } from '../eventstore/rpc/hold-file.ts';
import { reachStore } from '../reach-store.ts';

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
  const source = await reachStore(dataDir, eventstoreUrl);
  const address = new URL(source.url).host;
  const client = new Client(address, credentials.createInsecure());
  try {
    await hold(client, copy);
  } catch (error) {
    throw asLine(error, address);
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

function asLine(error: unknown, address: string): unknown {
  const { code, details } = error as Partial<ServiceError>;
  if (details === undefined) return error;
  if (code === status.UNIMPLEMENTED) {
    return new CannotStart(`the event store at ${address} is not a local one: back it up with its own tools`);
  }
  return new CannotStart(`there is no backup: the event store at ${address} says: ${details}`);
}
