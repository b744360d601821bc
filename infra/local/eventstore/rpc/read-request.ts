import { type ServerWritableStream, status } from '@grpc/grpc-js';
import type { Place, ReadMessage } from '../wire/read-request.ts';
import { badStreamName, RpcError } from './errors.ts';
import { createFilter, type Filter } from './filter.ts';

export type ReadCall = ServerWritableStream<ReadMessage, Buffer[]>;

export interface ReadRequest {
  /** Undefined reads `$all`. */
  readonly stream: string | undefined;
  readonly from: Place;
  readonly backwards: boolean;
  readonly resolveLinks: boolean;
  readonly subscribe: boolean;
  readonly maxCount: number;
  readonly filter: Filter | undefined;
}

/** @throws RpcError for what cannot be understood. */
export function asReadRequest({ all, filter, ...request }: ReadMessage): ReadRequest {
  const { stream } = request;
  if (stream === undefined && !all) throw new RpcError(status.INVALID_ARGUMENT, 'Neither a stream nor $all is named.');
  const bad = stream !== undefined && badStreamName(stream);
  if (bad) throw new RpcError(status.INVALID_ARGUMENT, bad);
  return { ...request, filter: filter && all ? createFilter(filter) : undefined };
}
