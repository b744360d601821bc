import { WireReader } from '../../protobuf/reader.ts';

const DASH = 0x2d;
const TEXT_LENGTH = 36;
const DASHES_AT = [8, 13, 18, 23];

/** The 16 bytes of a UUID message, which holds either text or two 64-bit halves; undefined for anything else. */
export function readUuid(message: Buffer): Buffer | undefined {
  const reader = new WireReader(message);
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) return fromHalves(reader.message());
    if (field === 2) return fromText(reader.bytes());
    reader.skip();
  }
  return undefined;
}

/** A UUID message as text; '' where it holds none. */
export function readUuidText(reader: WireReader): string {
  let text = '';
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) text = uuidText(fromHalves(reader.message()));
    else if (field === 2) text = reader.text();
    else reader.skip();
  }
  return text;
}

export function uuidText(id: Uint8Array): string {
  const hex = Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** By hand, since there is one for every event: a regular expression and strings cost many times as much. */
function fromText(text: Buffer): Buffer | undefined {
  if (text.length !== TEXT_LENGTH || DASHES_AT.some((at) => text[at] !== DASH)) return undefined;
  const id = Buffer.allocUnsafe(16);
  let byte = 0;
  for (let at = 0; at < TEXT_LENGTH; at += 2) {
    if (text[at] === DASH) at += 1;
    const value = (hexDigit(text[at]) << 4) | hexDigit(text[at + 1]);
    if (value < 0) return undefined;
    id[byte++] = value;
  }
  return byte === id.length ? id : undefined;
}

/** -1 for what is no digit. */
function hexDigit(code = 0): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function fromHalves(reader: WireReader): Buffer {
  const id = Buffer.alloc(16);
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1 || field === 2) id.writeBigUInt64BE(reader.bits64(), field === 1 ? 0 : 8);
    else reader.skip();
  }
  return id;
}
