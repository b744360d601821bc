import { readStreamIdentifier } from '../../../event-store/wire/shared.ts';
import { readUuid } from '../../../event-store/wire/uuid.ts';
import { WireReader } from '../../../protobuf/reader.ts';
import type { ProposedEvent } from '../store/event.ts';
import type { ExpectedRevision } from '../store/expected-revision.ts';

/**
 * One message of an append. BatchAppend sends correlation id, options and events together, Append one or the other of the
 * last two in each message; the messages inside are the same. Decoded by hand: the generated code takes more than twice as long.
 */
export interface AppendChunk {
  /** The UUID message as it came, to be sent back. */
  correlationId: Buffer | undefined;
  options: AppendOptions | undefined;
  readonly events: ProposedEvent[];
  isFinal: boolean;
  /** What makes the chunk unacceptable. */
  invalid: 'id' | 'type' | undefined;
}

export interface AppendOptions {
  stream: string;
  expected: ExpectedRevision;
  /** Milliseconds since 1970. */
  deadlineMs: number;
}

export function readBatchAppendRequest(message: Buffer): AppendChunk {
  return readChunk(message, (chunk, field, reader) => {
    if (field === 1) chunk.correlationId = reader.bytes();
    else if (field === 2) chunk.options = readOptions(reader.message());
    else if (field === 3) readEvent(reader.message(), chunk);
    else if (field === 4) chunk.isFinal = reader.varint() !== 0;
    else reader.skip();
  });
}

export function readAppendRequest(message: Buffer): AppendChunk {
  return readChunk(message, (chunk, field, reader) => {
    if (field === 1) chunk.options = readOptions(reader.message());
    else if (field === 2) readEvent(reader.message(), chunk);
    else reader.skip();
  });
}

/** What Delete and Tombstone take: the same options, and nothing else. */
export function readDeleteRequest(message: Buffer): AppendOptions {
  return (
    readChunk(message, (chunk, field, reader) => {
      if (field === 1) chunk.options = readOptions(reader.message());
      else reader.skip();
    }).options ?? { ...NO_OPTIONS }
  );
}

const NO_OPTIONS: AppendOptions = { stream: '', expected: 'any', deadlineMs: Infinity };

function readChunk(
  message: Buffer,
  readField: (chunk: AppendChunk, field: number, reader: WireReader) => void,
): AppendChunk {
  const reader = new WireReader(message);
  const chunk: AppendChunk = {
    correlationId: undefined,
    options: undefined,
    events: [],
    isFinal: false,
    invalid: undefined,
  };
  for (let field = reader.field(); field !== 0; field = reader.field()) readField(chunk, field, reader);
  return chunk;
}

function readOptions(reader: WireReader): AppendOptions {
  const options = { ...NO_OPTIONS };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) options.stream = readStreamIdentifier(reader.message());
    else if (field === 2) options.expected = reader.varint();
    else if (field === 6) options.deadlineMs = readTimestampMs(reader.message());
    else {
      if (field === 3) options.expected = 'no_stream';
      if (field === 4) options.expected = 'any';
      if (field === 5) options.expected = 'stream_exists';
      reader.skip();
    }
  }
  return options;
}

function readEvent(reader: WireReader, chunk: AppendChunk): void {
  let id: Buffer | undefined;
  let type = '';
  let json = false;
  let data = EMPTY;
  let metadata = EMPTY;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) id = readUuid(reader.bytes());
    else if (field === 2) {
      const [key, value] = reader.entry();
      if (key === 'type') type = value;
      if (key === 'content-type') json = value === 'application/json';
    } else if (field === 3) metadata = reader.bytes();
    else if (field === 4) data = reader.bytes();
    else reader.skip();
  }
  if (id === undefined) chunk.invalid = 'id';
  else if (type === '') chunk.invalid = 'type';
  else chunk.events.push({ id, type, json, data, metadata });
}

const EMPTY: Buffer = Buffer.alloc(0);

function readTimestampMs(reader: WireReader): number {
  let ms = 0;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) ms += reader.varint() * 1000;
    else if (field === 2) ms += reader.varint() / 1e6;
    else reader.skip();
  }
  return ms;
}
