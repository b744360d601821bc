import { Metadata, status } from '@grpc/grpc-js';
import type { ExpectedRevision, Refused } from '../store/expected-revision.ts';
import { StreamDeleted } from '../store/visibility.ts';

/** An error as gRPC sends it: the trailers tell the client's error classes apart. */
export class RpcError extends Error {
  readonly code: status;
  readonly details: string;
  readonly metadata = new Metadata();

  constructor(code: status, details: string, trailers: Record<string, string> = {}) {
    super(details);
    this.code = code;
    this.details = details;
    for (const [key, value] of Object.entries(trailers)) this.metadata.set(key, asTrailer(value));
  }
}

/** What a thrown error is to the caller. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof StreamDeleted) return streamDeleted(error.stream);
  return new RpcError(status.UNKNOWN, (error as Error).message);
}

export function streamDeleted(stream: string): RpcError {
  return new RpcError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });
}

export function refusal(stream: string, expected: ExpectedRevision, refused: Refused): RpcError {
  if (refused.kind === 'stream-deleted') return streamDeleted(stream);
  const { current } = refused;
  const expectedNumber = typeof expected === 'number' ? expected : EXPECTED_NUMBERS[expected];
  const details = `Append failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expectedNumber}, Actual version: ${current}`;
  return new RpcError(status.FAILED_PRECONDITION, details, {
    exception: 'wrong-expected-version',
    'stream-name': stream,
    'expected-version': String(expectedNumber),
    ...(current >= 0 && { 'actual-version': String(current) }),
  });
}

const EXPECTED_NUMBERS = { any: -2, no_stream: -1, stream_exists: -4 };

export function appendTooLarge(maxAppendSize: number): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, `Maximum Append Size of ${maxAppendSize} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(maxAppendSize),
  });
}

export function invalidEvent(reason: 'id' | 'type'): RpcError {
  if (reason === 'id') return new RpcError(status.INVALID_ARGUMENT, 'The id of an event is not a UUID.');
  return new RpcError(status.INVALID_ARGUMENT, 'Required Metadata Property is missing.', {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });
}

/** Errors name the stream in a trailer, and there is little room for those. */
const MAX_STREAM_NAME_BYTES = 8_192;

/** What is wrong with the name of a stream; undefined where nothing is. */
export function badStreamName(name: string): string | undefined {
  const isTooLong = Buffer.byteLength(name) > MAX_STREAM_NAME_BYTES;
  return isTooLong ? `The name of a stream may have ${MAX_STREAM_NAME_BYTES} bytes.` : undefined;
}

export function tooMuchHeld(limit: number): RpcError {
  return new RpcError(status.RESOURCE_EXHAUSTED, `More than ${limit} bytes of appends that are not complete.`);
}

export function notReady(): RpcError {
  return new RpcError(status.UNAVAILABLE, 'Server Is Not Ready');
}

export function shuttingDown(): RpcError {
  return new RpcError(status.CANCELLED, 'Server is shutting down');
}

/** Trailers are ASCII: anything else makes the HTTP/2 layer throw. */
function asTrailer(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : encodeURIComponent(value);
}
