import { WireReader } from './reader.ts';

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The 16 bytes of a UUID message, which holds either text or two 64-bit halves; undefined for anything else. */
export function readUuid(message: Buffer): Buffer | undefined {
  const reader = new WireReader(message);
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) return fromHalves(reader.message());
    if (field === 2) return fromText(reader.text());
    reader.skip();
  }
  return undefined;
}

export function uuidText(id: Uint8Array): string {
  const hex = Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function fromText(text: string): Buffer | undefined {
  return UUID_TEXT.test(text) ? Buffer.from(text.replaceAll('-', ''), 'hex') : undefined;
}

function fromHalves(reader: WireReader): Buffer {
  const id = Buffer.alloc(16);
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1 || field === 2) id.writeBigUInt64BE(reader.bits64(), field === 1 ? 0 : 8);
    else reader.skip();
  }
  return id;
}
