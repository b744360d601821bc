import type { WireReader } from '../../protobuf/reader.ts';

/** The name in a `StreamIdentifier`. */
export function readStreamIdentifier(reader: WireReader): string {
  let stream = '';
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 3) stream = reader.text();
    else reader.skip();
  }
  return stream;
}

/** The number in the first field of a message, which is what counts in a position (that of the commit) and in `WrongExpectedVersion`; -1 where it is absent. */
export function readFirst(reader: WireReader): number {
  let first = -1;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) first = reader.varint();
    else reader.skip();
  }
  return first;
}
