const LENGTH_DELIMITED = 2;
const MAX_VARINT_BYTES = 10;
const KEPT_BYTES = 1024 * 1024;

/**
 * Writes one protobuf message after the other, each from its end to its start: so the length of a nested message is known
 * when its prefix is due. Call in reverse order of the fields; readers don't mind either order.
 */
export class WireWriter {
  #buffer = Buffer.allocUnsafe(64 * 1024);
  #at = this.#buffer.length;

  /** Copies the message out and begins the next. */
  take(): Buffer {
    const message = Buffer.from(this.#buffer.subarray(this.#at));
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafe(KEPT_BYTES);
    this.#at = this.#buffer.length;
    return message;
  }

  varint(field: number, value: number): void {
    this.#number(value);
    this.#number(field * 8);
  }

  bytes(field: number, value: Uint8Array): void {
    this.raw(value);
    this.#prefix(field, value.length);
  }

  text(field: number, value: string): void {
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#at -= length;
    this.#buffer.write(value, this.#at, length);
    this.#prefix(field, length);
  }

  /** Bytes that are fields already. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#at -= value.length;
    this.#buffer.set(value, this.#at);
  }

  /** A field whose value is what `content` writes. */
  message(field: number, content: () => void): void {
    const before = this.#buffer.length - this.#at;
    content();
    this.#prefix(field, this.#buffer.length - this.#at - before);
  }

  #prefix(field: number, length: number): void {
    this.#number(length);
    this.#number(field * 8 + LENGTH_DELIMITED);
  }

  #number(value: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    let bytes = 1;
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes += 1;
    this.#at -= bytes;
    let at = this.#at;
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#buffer[at++] = (rest % 128) + 128;
    this.#buffer[at] = rest;
  }

  #reserve(bytes: number): void {
    if (this.#at >= bytes) return;
    const used = this.#buffer.length - this.#at;
    const larger = Buffer.allocUnsafe(2 * (used + bytes));
    this.#buffer.copy(larger, larger.length - used, this.#at);
    this.#at = larger.length - used;
    this.#buffer = larger;
  }
}
