import { WireReader } from '../../protobuf/reader.ts';
import { readFirst } from './shared.ts';
import { readUuidText } from './uuid.ts';

/** Where an append ended. */
export interface Appended {
  readonly revision: number;
  readonly position: number;
}

export interface AppendAnswer {
  /** That of the request. */
  readonly correlationId: string;
  readonly result: Appended | AppendFailure;
}

export interface AppendFailure {
  /** The protocol's name of it, such as `WrongExpectedVersion`. */
  readonly failure: string;
  readonly message: string;
  /** Last revision of the stream where that was not the one expected; -1 where there is no stream. */
  readonly actual: number;
}

/** Decodes `BatchAppendResp`. @throws RangeError for what is none */
export function readAppendResponse(message: Buffer): AppendAnswer {
  const reader = new WireReader(message);
  let correlationId = '';
  let result: Appended | AppendFailure = { failure: 'Unknown', message: 'an answer without a result', actual: -1 };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) correlationId = readUuidText(reader.message());
    else if (field === 2) result = readStatus(reader.message());
    else if (field === 3) result = readSuccess(reader.message());
    else reader.skip();
  }
  return { correlationId, result };
}

function readSuccess(reader: WireReader): Appended {
  let revision = -1;
  let position = -1;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) revision = reader.varint();
    else if (field === 3) position = readFirst(reader.message());
    else reader.skip();
  }
  return { revision, position };
}

/** A `google.rpc.Status`, whose details say what went wrong. */
function readStatus(reader: WireReader): AppendFailure {
  let message = '';
  let details: Pick<AppendFailure, 'failure' | 'actual'> = { failure: 'Unknown', actual: -1 };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 2) message = reader.text();
    else if (field === 3) details = readDetails(reader.message());
    else reader.skip();
  }
  return { message, ...details };
}

/** A `google.protobuf.Any`. */
function readDetails(reader: WireReader): Pick<AppendFailure, 'failure' | 'actual'> {
  let failure = 'Unknown';
  let value: Buffer | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) failure = reader.text().replace(/^.*[/.]/, '');
    else if (field === 2) value = reader.bytes();
    else reader.skip();
  }
  // Its first field is the stream's revision; absent where there is no stream.
  const actual = failure === 'WrongExpectedVersion' && value ? readFirst(new WireReader(value)) : -1;
  return { failure, actual };
}
