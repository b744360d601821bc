import { type handleBidiStreamingCall, type ServiceDefinition, status } from '@grpc/grpc-js';
import type { Store } from '../store/store.ts';
import { RpcError, shuttingDown } from './errors.ts';
import type { RunningCalls } from './running-calls.ts';

/** What a caller needs to copy the file. */
export interface HeldFile {
  readonly file: string;
  readonly bytes: number;
  /** Position of the last event in it. */
  readonly position: number;
}

export const HOLD_FILE_PATH = '/local_eventstore.Backup/HoldFile';
export const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
export const decode = (bytes: Buffer): unknown => JSON.parse(bytes.toString());

export const HOLD_FILE_SERVICE: ServiceDefinition = {
  holdFile: {
    ...{ path: HOLD_FILE_PATH, requestStream: true, responseStream: true },
    ...{ requestSerialize: encode, requestDeserialize: decode },
    // A page of messages, as of all calls here that answer with a stream.
    responseSerialize: (message: Buffer) => message,
    responseDeserialize: decode,
  },
};

const LOOK_MS = 1_000;

/**
 * Holds the store's file as it is until the caller has ended its side. Only where the call then ends well has it been
 * held all the time: what was copied of it can be trusted.
 */
export function holdFile(store: Store, calls: RunningCalls): handleBidiStreamingCall<unknown, Buffer[]> {
  return (call) => {
    const { file, bytes, release } = store.fileHold.acquire();
    const stop = (error: RpcError) => {
      release();
      call.emit('error', error);
    };
    const looking = setInterval(() => {
      if (store.fileHold.isTooLong()) stop(new RpcError(status.RESOURCE_EXHAUSTED, 'the copy took too long'));
    }, LOOK_MS);
    calls.add(call, () => stop(shuttingDown()));
    call.on('data', () => {});
    call.on('end', () => {
      release();
      call.end();
    });
    call.on('close', () => {
      clearInterval(looking);
      release();
    });
    call.write([encode({ file, bytes, position: store.log.last } satisfies HeldFile)]);
  };
}
