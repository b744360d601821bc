import { WireWriter } from '../../protobuf/writer.ts';

/** What a stream must look like for an append: its last revision, no stream at all (-1), or anything. */
export type Expected = number | 'any';
export const NO_STREAM_YET = -1;

/** A JSON event that is to be appended; its id is a UUID. */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  readonly data: object;
  readonly metadata: object;
}

export interface AppendRequest {
  /** A UUID, which the answer repeats. */
  readonly correlationId: string;
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly NewEvent[];
  /** Until when the store may take it, in ms since the epoch, by its own clock. */
  readonly deadlineMs: number;
}

const writer = new WireWriter();

/**
 * Encodes `BatchAppendReq`, all events of an append in one message. By hand: the generated code encodes every event twice, and its
 * data to base64 and back. https://github.com/EventStore/EventStore/blob/master/src/Protos/Grpc/streams.proto
 */
export function appendRequest({ correlationId, stream, expected, events, deadlineMs }: AppendRequest): Buffer {
  writer.varint(4, 1);
  for (let at = events.length - 1; at >= 0; at--) writeEvent(events[at] as NewEvent);
  writer.message(2, () => {
    writer.message(6, () => {
      writer.varint(2, (deadlineMs % 1_000) * 1e6);
      writer.varint(1, Math.floor(deadlineMs / 1_000));
    });
    if (expected === 'any') writer.message(4, nothing);
    else if (expected === NO_STREAM_YET) writer.message(3, nothing);
    else writer.varint(2, expected);
    writer.message(1, () => writer.text(3, stream));
  });
  writer.message(1, () => writer.text(2, correlationId));
  return writer.take();
}

function writeEvent({ id, type, data, metadata }: NewEvent): void {
  writer.message(3, () => {
    writer.text(4, JSON.stringify(data));
    writer.text(3, JSON.stringify(metadata));
    writeEntry('content-type', 'application/json');
    writeEntry('type', type);
    writer.message(1, () => writer.text(2, id));
  });
}

function writeEntry(key: string, value: string): void {
  writer.message(2, () => {
    writer.text(2, value);
    writer.text(1, key);
  });
}

function nothing(): void {}
