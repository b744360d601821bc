import type shared from '@eventstore/db-client/generated/shared_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { badStreamName, RpcError } from './errors.ts';
import { type Filter, readFilter } from './filter.ts';

export type ReadCall = ServerWritableStream<streams.ReadReq, Buffer[]>;

/** A place to read from: numbers over 2^53-1 come out as that, which is beyond every end. */
export type Place = number | 'start' | 'end';

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

const BACKWARDS = 1;

/** @throws RpcError for what cannot be understood. */
export function readReadRequest(request: streams.ReadReq): ReadRequest {
  const options = request.getOptions();
  const stream = options?.getStream();
  const all = options?.getAll();
  if (!options || !(stream || all)) throw new RpcError(status.INVALID_ARGUMENT, 'Neither a stream nor $all is named.');
  const filter = options.getFilter();
  return {
    stream: stream && streamNameOf(stream.getStreamIdentifier()),
    from: placeOf(
      stream ?? all,
      stream?.hasRevision() ? stream.getRevision() : all?.getPosition()?.getCommitPosition(),
    ),
    backwards: options.getReadDirection() === BACKWARDS,
    resolveLinks: options.getResolveLinks(),
    subscribe: options.hasSubscription(),
    maxCount: options.hasCount() ? clamped(options.getCount()) : Infinity,
    filter: filter && all ? readFilter(filter) : undefined,
  };
}

/** @throws RpcError for a name that no stream can have */
export function streamNameOf(identifier: shared.StreamIdentifier | undefined): string {
  const name = Buffer.from(identifier?.getStreamName_asU8() ?? []).toString();
  const bad = badStreamName(name);
  if (bad) throw new RpcError(status.INVALID_ARGUMENT, bad);
  return name;
}

function placeOf(options: { hasEnd(): boolean } | undefined, number: string | undefined): Place {
  if (number !== undefined) return clamped(number);
  return options?.hasEnd() ? 'end' : 'start';
}

function clamped(number: string): number {
  return Math.min(Number(number), Number.MAX_SAFE_INTEGER);
}
