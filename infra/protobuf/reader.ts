const LENGTH_DELIMITED = 2;
/** https://protobuf.dev/programming-guides/encoding/#varints */
const MAX_VARINT_BYTES = 10;

/** Reads the fields of a protobuf message where they lie, without copying. */
export class WireReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  #at: number;
  #wireType = 0;

  /** @param start where in the buffer the message begins, and `end` where it ends; absent: all of it */
  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  /** The number of the next field, 0 at the end. Its value must be read or skipped before the next call. */
  field(): number {
    if (this.#at >= this.#end) return 0;
    const tag = this.varint();
    this.#wireType = tag & 7;
    const number = Math.floor(tag / 8);
    if (number === 0) throw new RangeError('a field has the number 0');
    return number;
  }

  /** Values over 2^53-1 come back as 2^53-1: nothing here counts so far. */
  varint(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 128;
    for (let count = 1; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return Math.min(value, Number.MAX_SAFE_INTEGER);
      scale *= 128;
    }
    throw new RangeError('a number has no end');
  }

  /** All 64 bits. */
  bits64(): bigint {
    let value = 0n;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError('a number has no end');
  }

  bytes(): Buffer {
    const start = this.#delimited();
    return this.#buffer.subarray(start, this.#at);
  }

  text(): string {
    const start = this.#delimited();
    return this.#buffer.toString('utf8', start, this.#at);
  }

  message(): WireReader {
    const start = this.#delimited();
    return new WireReader(this.#buffer, start, this.#at);
  }

  /** An entry of a `map<string, string>`. */
  entry(): [key: string, value: string] {
    const reader = this.message();
    let key = '';
    let value = '';
    for (let field = reader.field(); field !== 0; field = reader.field()) {
      if (field === 1) key = reader.text();
      else if (field === 2) value = reader.text();
      else reader.skip();
    }
    return [key, value];
  }

  skip(): void {
    if (this.#wireType === LENGTH_DELIMITED) this.#delimited();
    else if (this.#wireType === 0) this.varint();
    else if (this.#wireType === 1) this.#pass(8);
    else if (this.#wireType === 5) this.#pass(4);
    else throw new RangeError(`unknown wire type ${this.#wireType}`);
  }

  /** Passes a value that says its length; @returns where it begins */
  #delimited(): number {
    const length = this.varint();
    const start = this.#at;
    this.#pass(length);
    return start;
  }

  #pass(length: number): void {
    this.#at += length;
    if (this.#at > this.#end) throw new RangeError('a field is longer than its message');
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new RangeError('the message ends inside a field');
    return this.#buffer[this.#at++] as number;
  }
}
