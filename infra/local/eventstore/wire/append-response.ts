import { WireWriter } from '../../../protobuf/writer.ts';
import type { ExpectedRevision, Written } from '../store/expected-revision.ts';

/** Why an append was not done, in the words of the protocol. */
export type AppendFailure =
  | { readonly kind: 'wrong-revision'; readonly current: number; readonly expected: ExpectedRevision }
  | { readonly kind: 'stream-deleted' }
  | { readonly kind: 'too-large'; readonly maxAppendSize: number }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'bad-request'; readonly message: string }
  | { readonly kind: 'unknown' };

const CODES = {
  'wrong-revision': [6, 'WrongExpectedVersion', 'WrongExpectedVersion'],
  'stream-deleted': [5, 'StreamDeleted', 'StreamDeleted'],
  'too-large': [3, 'MaximumAppendSizeExceeded', 'MaximumAppendSizeExceeded'],
  timeout: [4, 'Timeout', 'Timeout'],
  'bad-request': [3, 'BadRequest', 'BadRequest'],
  unknown: [2, 'Unknown', 'Unknown'],
} as const;

const writer = new WireWriter();

export function batchAppended(correlationId: Buffer, stream: string, written: Written): Buffer {
  writer.message(4, () => writer.text(3, stream));
  writer.message(3, () => writeSuccess(written));
  writer.bytes(1, correlationId);
  return writer.take();
}

export function batchFailed(correlationId: Buffer, stream: string, failure: AppendFailure): Buffer {
  const [code, message, type] = CODES[failure.kind];
  // The client reads the name of the stream from here without looking whether it is there.
  writer.message(4, () => writer.text(3, stream));
  writer.message(2, () => {
    writer.message(3, () => {
      writer.message(2, () => writeDetails(stream, failure));
      writer.text(1, `type.googleapis.com/event_store.client.${type}`);
    });
    writer.text(2, message);
    writer.varint(1, code);
  });
  writer.bytes(1, correlationId);
  return writer.take();
}

export function appended(written: Written): Buffer {
  writer.message(1, () => writeSuccess(written));
  return writer.take();
}

/** Fields 1 to 5 say the same to clients from before 20.10. */
export function appendedWrongRevision(current: number, expected: ExpectedRevision): Buffer {
  writer.message(2, () => {
    writeExpected(expected, { revision: 8, any: 9, stream_exists: 10, no_stream: 11 });
    writeRevision(current, { revision: 6, noStream: 7 });
    writeExpected(expected, { revision: 3, any: 4, stream_exists: 5, no_stream: undefined });
    writeRevision(current, { revision: 1, noStream: 2 });
  });
  return writer.take();
}

export function deleted(position: number): Buffer {
  writer.message(1, () => writePosition(position));
  return writer.take();
}

function writeSuccess({ revision, position }: Written): void {
  if (position === 0) writeEmpty(4);
  else writer.message(3, () => writePosition(position));
  writeRevision(revision, { revision: 1, noStream: 2 });
}

function writePosition(position: number): void {
  writer.varint(2, position);
  writer.varint(1, position);
}

function writeDetails(stream: string, failure: AppendFailure): void {
  if (failure.kind === 'wrong-revision') {
    writeExpected(failure.expected, { revision: 3, any: 4, stream_exists: 5, no_stream: 6 });
    writeRevision(failure.current, { revision: 1, noStream: 2 });
  } else if (failure.kind === 'stream-deleted') {
    writer.message(1, () => writer.text(3, stream));
  } else if (failure.kind === 'too-large') {
    writer.varint(1, failure.maxAppendSize);
  } else if (failure.kind === 'bad-request') {
    writer.text(1, failure.message);
  }
}

function writeRevision(revision: number, fields: { revision: number; noStream: number }): void {
  if (revision < 0) writeEmpty(fields.noStream);
  else writer.varint(fields.revision, revision);
}

type ExpectedFields = Record<'revision' | 'any' | 'stream_exists', number> & { no_stream: number | undefined };

function writeExpected(expected: ExpectedRevision, fields: ExpectedFields): void {
  if (typeof expected === 'number') writer.varint(fields.revision, expected);
  else writeEmpty(fields[expected]);
}

function writeEmpty(field: number | undefined): void {
  if (field !== undefined) writer.message(field, () => {});
}
