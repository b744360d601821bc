import { readStreamIdentifier } from '../../../event-store/wire/shared.ts';
import { WireReader } from '../../../protobuf/reader.ts';

/** A place to read from: numbers over 2^53-1 come out as that, which is beyond every end. */
export type Place = number | 'start' | 'end';

/** What a Read asks for. Decoded by hand: the generated code runs on for minutes where a length leads out of its message. */
export interface ReadMessage {
  /** Neither of the two where nothing is named; one of a stream beside `all` is read as the later one. */
  stream: string | undefined;
  all: boolean;
  from: Place;
  backwards: boolean;
  resolveLinks: boolean;
  subscribe: boolean;
  maxCount: number;
  filter: FilterMessage | undefined;
}

export interface FilterMessage {
  on: 'stream' | 'type';
  regex: string;
  prefixes: string[];
  /** Events to look at between two checkpoints, by `interval`. */
  window: number | undefined;
  interval: number;
}

/** @throws RangeError where it is no message */
export function readReadMessage(message: Buffer): ReadMessage {
  const request: ReadMessage = {
    ...{ stream: undefined, all: false, from: 'start', backwards: false, resolveLinks: false },
    ...{ subscribe: false, maxCount: Number.POSITIVE_INFINITY, filter: undefined },
  };
  eachField(new WireReader(message), (field, reader) => {
    if (field === 1) readOptions(reader.message(), request);
    else reader.skip();
  });
  return request;
}

function eachField(reader: WireReader, read: (field: number, reader: WireReader) => void): void {
  for (let field = reader.field(); field !== 0; field = reader.field()) read(field, reader);
}

function readOptions(options: WireReader, request: ReadMessage): void {
  eachField(options, (field, reader) => {
    if (field === 1) readStream(reader.message(), request);
    else if (field === 2) readAll(reader.message(), request);
    else if (field === 3) request.backwards = reader.varint() === 1;
    else if (field === 4) request.resolveLinks = reader.varint() !== 0;
    else if (field === 5) request.maxCount = reader.varint();
    else if (field === 7) request.filter = readFilter(reader.message());
    else {
      if (field === 6) request.subscribe = true;
      if (field === 8) request.filter = undefined;
      reader.skip();
    }
  });
}

function readStream(options: WireReader, request: ReadMessage): void {
  Object.assign(request, { stream: '', all: false, from: 'start' });
  eachField(options, (field, reader) => {
    if (field === 1) request.stream = readStreamIdentifier(reader.message());
    else if (field === 2) request.from = reader.varint();
    else readEdge(field - 2, reader, request);
  });
}

function readAll(options: WireReader, request: ReadMessage): void {
  Object.assign(request, { stream: undefined, all: true, from: 'start' });
  eachField(options, (field, reader) => {
    if (field === 1) request.from = readCommitPosition(reader.message());
    else readEdge(field - 1, reader, request);
  });
}

/** The two that stand for the first and the last place. */
function readEdge(edge: number, reader: WireReader, request: ReadMessage): void {
  if (edge === 1) request.from = 'start';
  if (edge === 2) request.from = 'end';
  reader.skip();
}

function readCommitPosition(position: WireReader): number {
  let commit = 0;
  eachField(position, (field, reader) => {
    if (field === 1) commit = reader.varint();
    else reader.skip();
  });
  return commit;
}

function readFilter(options: WireReader): FilterMessage {
  const filter: FilterMessage = { on: 'type', regex: '', prefixes: [], window: undefined, interval: 0 };
  eachField(options, (field, reader) => {
    if (field === 1 || field === 2) {
      Object.assign(filter, { on: field === 1 ? 'stream' : 'type', ...readExpression(reader.message()) });
    } else if (field === 3) filter.window = reader.varint();
    else if (field === 5) filter.interval = reader.varint();
    else reader.skip();
  });
  return filter;
}

function readExpression(expression: WireReader): Pick<FilterMessage, 'regex' | 'prefixes'> {
  let regex = '';
  const prefixes: string[] = [];
  eachField(expression, (field, reader) => {
    if (field === 1) regex = reader.text();
    else if (field === 2) prefixes.push(reader.text());
    else reader.skip();
  });
  return { regex, prefixes };
}
