import { uuidText } from '../../../event-store/wire/uuid.ts';
import { WireWriter } from '../../../protobuf/writer.ts';
import { type RecordedEvent, TOMBSTONE_REVISION } from '../store/event.ts';

const writer = new WireWriter();

/** The answers of a Read, written by hand: there is one for every event. */
export function eventMessage(event: RecordedEvent | undefined, link?: RecordedEvent): Buffer {
  const position = (link ?? event)?.position ?? 0;
  writer.message(1, () => {
    writer.varint(3, position);
    if (link) writer.message(2, () => writeRecordedEvent(link));
    if (event) writer.message(1, () => writeRecordedEvent(event));
  });
  return writer.take();
}

export function confirmationMessage(subscriptionId: string): Buffer {
  writer.message(2, () => writer.text(1, subscriptionId));
  return writer.take();
}

export function checkpointMessage(position: number): Buffer {
  writer.message(3, () => {
    writer.varint(2, position);
    writer.varint(1, position);
  });
  return writer.take();
}

export function streamNotFoundMessage(stream: string): Buffer {
  writer.message(4, () => writer.message(1, () => writer.text(3, stream)));
  return writer.take();
}

export function caughtUpMessage(): Buffer {
  writer.message(8, () => {});
  return writer.take();
}

function writeRecordedEvent(event: RecordedEvent): void {
  writer.bytes(8, event.data);
  writer.bytes(7, event.metadata);
  // .NET ticks of 100 ns, but counted from 1970.
  writeMapEntry('created', `${event.createdMs}0000`);
  writeMapEntry('content-type', event.json ? 'application/json' : 'application/octet-stream');
  writeMapEntry('type', event.type);
  writer.varint(5, event.position);
  writer.varint(4, event.position);
  if (event.revision === TOMBSTONE_REVISION) writer.raw(INT64_MAX_REVISION);
  else writer.varint(3, event.revision);
  writer.message(2, () => writer.bytes(3, event.stream.bytes));
  writer.message(1, () => writer.text(2, uuidText(event.id)));
}

/** Field 3 with 2^63-1. */
const INT64_MAX_REVISION = Buffer.from('18ffffffffffffffff7f', 'hex');

function writeMapEntry(key: string, value: string): void {
  writer.message(6, () => {
    writer.text(2, value);
    writer.text(1, key);
  });
}
