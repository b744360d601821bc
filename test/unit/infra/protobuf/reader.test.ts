import { expect } from 'chai';
import { WireReader } from '../../../../infra/protobuf/reader.ts';
import { endlessVarint, field, numberField, varint } from '../../../support/protobuf.ts';

const readerOf = (bytes: Uint8Array) => new WireReader(Buffer.from(bytes));

/** Reads to the end, passing over everything. */
function skipAll(bytes: Uint8Array): void {
  const reader = readerOf(bytes);
  while (reader.field() !== 0) reader.skip();
}

describe('a protobuf message', () => {
  it('has numbers of up to 64 bits, the largest of them exact where that is asked for', () => {
    for (const value of [0n, 1n, 127n, 128n, 2n ** 32n, 2n ** 53n - 1n]) {
      expect(readerOf(varint(value)).varint()).to.equal(Number(value));
      expect(readerOf(varint(value)).bits64()).to.equal(value);
    }
    expect(readerOf(varint(2n ** 64n - 1n)).varint()).to.equal(Number.MAX_SAFE_INTEGER);
    expect(readerOf(varint(2n ** 64n - 1n)).bits64()).to.equal(2n ** 64n - 1n);
  });

  it('has no number of more than ten bytes: to add up a million of them takes for ever', () => {
    for (const length of [10, 11, 1_000_000]) {
      expect(() => readerOf(endlessVarint(length)).varint(), String(length)).to.throw(RangeError);
      expect(() => readerOf(endlessVarint(length)).bits64(), String(length)).to.throw(RangeError);
    }
    expect(readerOf(endlessVarint(9)).bits64()).to.equal(2n ** 63n);
  });

  const BROKEN: Record<string, Uint8Array> = {
    'a field of the number 0': numberField(0, varint(1n)),
    'a field of four bytes that ends early': Buffer.from([0x0d, 1, 2, 3]),
    'a field of eight bytes that ends early': Buffer.from([0x09, 1, 2, 3, 4, 5, 6, 7]),
    'a text that ends early': field(1, 'abc').subarray(0, 4),
    'a text longer than anything': Buffer.concat([Buffer.of(0x0a), varint(2n ** 64n - 1n)]),
    'a number that ends early': Buffer.from([0x08, 0x80]),
    'a group': Buffer.from([0x0b]),
  };
  for (const [what, bytes] of Object.entries(BROKEN)) {
    it(`has not ${what}`, () => {
      expect(() => skipAll(bytes)).to.throw(RangeError);
    });
  }
});
