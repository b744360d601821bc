import type { Fact, FactMetadata, RecordedFact } from '../../../domain/facts.ts';
import { NewerFact, upcast, VERSIONS, type Versions } from '../../../domain/upcast.ts';
import { WireReader } from '../../protobuf/reader.ts';
import { readFirst, readStreamIdentifier } from './shared.ts';
import { readUuidText } from './uuid.ts';

/** What an answer of Read may be: an event, how far the log has been considered, or that there is no such stream. */
export type ReadAnswer =
  | { readonly kind: 'event'; readonly position: number; readonly event: StoredEvent | undefined }
  | { readonly kind: 'checkpoint'; readonly position: number }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'other' };

/** An event as the store holds it, its parts not yet parsed. */
export interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  /** In .NET ticks of 100 ns, counted from 1970. */
  readonly created: string;
  readonly metadata: Buffer;
  readonly data: Buffer;
}

const OTHER = { kind: 'other' } as const;
const EMPTY = Buffer.alloc(0);
const NO_EVENT: StoredEvent = {
  ...{ id: '', type: '', stream: '', revision: -1, position: -1, created: '', metadata: EMPTY, data: EMPTY },
};

/** Decodes `ReadResp`. By hand, since there is one for every event that is read. @throws RangeError for what is none */
export function readReadResponse(message: Buffer): ReadAnswer {
  const reader = new WireReader(message);
  let answer: ReadAnswer = OTHER;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) answer = readReadEvent(reader.message());
    else if (field === 3) answer = { kind: 'checkpoint', position: readFirst(reader.message()) };
    else if (field === 4) {
      reader.skip();
      answer = { kind: 'not-found' };
    } else reader.skip();
  }
  return answer;
}

function readReadEvent(reader: WireReader): ReadAnswer {
  let event: StoredEvent | undefined;
  let position: number | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) event = readRecordedEvent(reader.message());
    else if (field === 3) position = reader.varint();
    else reader.skip();
  }
  return { kind: 'event', position: position ?? event?.position ?? -1, event };
}

function readRecordedEvent(reader: WireReader): StoredEvent {
  const event: { -readonly [K in keyof StoredEvent]: StoredEvent[K] } = { ...NO_EVENT };
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) event.id = readUuidText(reader.message());
    else if (field === 2) event.stream = readStreamIdentifier(reader.message());
    else if (field === 3) event.revision = reader.varint();
    else if (field === 5) event.position = reader.varint();
    else if (field === 6) {
      const [key, value] = reader.entry();
      if (key === 'type') event.type = value;
      else if (key === 'created') event.created = value;
    } else if (field === 7) event.metadata = reader.bytes();
    else if (field === 8) event.data = reader.bytes();
    else reader.skip();
  }
  return event;
}

/** Ticks in a millisecond have four digits. */
const TICK_DIGITS = 4;

/**
 * A fact as today's code would have written it, however old it is.
 * @throws NewerFact for a fact of a version that this code does not know yet; SyntaxError where its data or metadata are no JSON
 */
export function toFact(event: StoredEvent, versions: Versions = VERSIONS): RecordedFact {
  const { id, type, stream, revision, position, created } = event;
  const metadata = JSON.parse(event.metadata.toString() || '{}') as FactMetadata;
  return {
    id,
    type: type as Fact['type'],
    data: upcasted(event, metadata, versions),
    metadata: metadata.version === versions.newest ? metadata : { ...metadata, version: versions.newest },
    stream,
    revision,
    position,
    recordedAtMs: recordedAtMsOf(created),
  } as RecordedFact;
}

function upcasted({ type, data, stream, revision }: StoredEvent, metadata: FactMetadata, versions: Versions) {
  try {
    return upcast(type, metadata.version, JSON.parse(data.toString()), versions);
  } catch (error) {
    if (error instanceof NewerFact) throw new NewerFact(`${stream}@${revision}: ${error.message}`);
    throw error;
  }
}

/** When the store took an event, in ms since the epoch. */
export function recordedAtMsOf(created: StoredEvent['created']): number {
  return Number(created.slice(0, -TICK_DIGITS));
}
