import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** https://sqlite.org/fileformat2.html#the_write_ahead_log */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

type Sum = readonly [number, number];

/**
 * Why a write-ahead log that a killed process has left is not only torn but damaged: SQLite would silently go on from where its checksums
 * break, without what was acknowledged behind that place. A torn end is nothing but the last transaction, so what was committed on top
 * of a commit behind the break had been on disk.
 */
export function walDamage(walFile: string): string | undefined {
  const fd = openIfThere(walFile);
  if (fd === undefined) return undefined;
  try {
    if (fstatSync(fd).size <= HEADER_BYTES + FRAME_HEADER_BYTES) return undefined;
    const header = readHeader(fd);
    return header ? breakIn(fd, header) : 'the header of its write-ahead log is overwritten';
  } finally {
    closeSync(fd);
  }
}

interface Header {
  readonly littleEndian: boolean;
  readonly pageBytes: number;
  readonly salt: bigint;
  readonly sum: Sum;
}

function readHeader(fd: number): Header | undefined {
  const bytes = readAt(fd, 0, HEADER_BYTES);
  const magic = bytes.getUint32(0);
  const littleEndian = magic === MAGIC;
  const sum = add([0, 0], bytes, 0, 24, littleEndian);
  if ((magic & ~1) !== MAGIC || !isSum(bytes, 24, sum)) return undefined;
  return { littleEndian, pageBytes: bytes.getUint32(8), salt: bytes.getBigUint64(16), sum };
}

function breakIn(fd: number, { littleEndian, pageBytes, salt, sum }: Header): string | undefined {
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const frames = Math.floor((fstatSync(fd).size - HEADER_BYTES) / frameBytes);
  let before = sum;
  let isBroken = false;
  let isOnCommit = false;
  for (let index = 0; index < frames; index++) {
    const frame = readAt(fd, HEADER_BYTES + index * frameBytes, frameBytes);
    const isOfThisLog = frame.getBigUint64(8) === salt;
    const expected = add(add(before, frame, 0, 8, littleEndian), frame, FRAME_HEADER_BYTES, frameBytes, littleEndian);
    const follows = isOfThisLog && isSum(frame, 16, expected);
    const isCommit = isOfThisLog && frame.getUint32(4) > 0;
    if (isBroken && isCommit && isOnCommit && follows)
      return `its write-ahead log is overwritten before frame ${index}`;
    isBroken ||= !follows;
    isOnCommit = isBroken && (isCommit || (isOnCommit && follows));
    before = [frame.getUint32(16), frame.getUint32(20)];
  }
  return undefined;
}

function add([first, second]: Sum, bytes: DataView, from: number, to: number, littleEndian: boolean): Sum {
  let [a, b] = [first, second];
  for (let at = from; at < to; at += 8) {
    a = (a + bytes.getUint32(at, littleEndian) + b) >>> 0;
    b = (b + bytes.getUint32(at + 4, littleEndian) + a) >>> 0;
  }
  return [a, b];
}

function isSum(bytes: DataView, at: number, [a, b]: Sum): boolean {
  return bytes.getUint32(at) === a && bytes.getUint32(at + 4) === b;
}

function readAt(fd: number, position: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  readSync(fd, bytes, 0, length, position);
  return new DataView(bytes.buffer);
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, 'r');
  } catch {
    return undefined;
  }
}
