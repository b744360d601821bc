/** A field of a protobuf message that holds bytes, a text or another message. */
export function field(name: number, value: Uint8Array | string): Uint8Array {
  const bytes = Buffer.from(value as Uint8Array);
  return Buffer.concat([tag(name, 2), varint(BigInt(bytes.length)), bytes]);
}

/** A field that holds a number. */
export function numberField(name: number, digits: Uint8Array): Uint8Array {
  return Buffer.concat([tag(name, 0), digits]);
}

/** https://protobuf.dev/programming-guides/encoding/#varints */
export function varint(value: bigint): Uint8Array {
  const digits: number[] = [];
  for (let left = value; digits.length === 0 || left > 0n; left >>= 7n) {
    digits.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
  }
  return Uint8Array.from(digits);
}

/** A number that takes more bytes than any has. */
export function endlessVarint(length: number): Uint8Array {
  return Buffer.concat([Buffer.alloc(length, 0x80), Buffer.of(1)]);
}

export function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

const tag = (name: number, wireType: number): Uint8Array => varint(BigInt(name * 8 + wireType));
