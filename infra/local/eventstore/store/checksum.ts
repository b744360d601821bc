import { crc32 } from 'node:zlib';

/** All that an event's row holds; the stream by its name, so that the table of names is covered too. */
export interface Summed {
  readonly position: number;
  readonly stream: { readonly text: string };
  readonly revision: number;
  readonly id: Uint8Array;
  readonly type: string;
  readonly json: boolean;
  readonly createdMs: number;
  readonly metadata: Uint8Array;
  readonly data: Uint8Array;
}

/** CRC-32 of an event and its place. SQLite checks how its pages hang together, not what stands in them. */
export function checksum({ position, stream, revision, id, type, json, createdMs, metadata, data }: Summed): number {
  const place = `${position} ${stream.text} ${revision} ${type} ${json} ${createdMs} ${metadata.length} ${data.length}`;
  return crc32(data, crc32(metadata, crc32(id, crc32(place))));
}
