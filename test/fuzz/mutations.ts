import fc, { type Arbitrary } from 'fast-check';

/** One change of a sequence of bytes, at a place between 0 and 1 of it. */
interface Mutation {
  readonly kind: 'flip' | 'insert' | 'cut' | 'repeat';
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly length: number;
}

const mutation: Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip' as const, 'insert' as const, 'cut' as const, 'repeat' as const),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc
      .constantFrom(
        '\r\n',
        '\n',
        '\0',
        ' ',
        ':',
        '%00',
        '../',
        '"',
        '{"a":',
        '\x80',
        '\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f',
      )
      .map((text) => Buffer.from(text, 'latin1')),
  ),
  length: fc.integer({ min: 1, max: 64 }),
});

/** Bytes that are nearly those of `base`. */
export function mutated(base: Arbitrary<Uint8Array>, maxMutations = 4): Arbitrary<Uint8Array> {
  return fc
    .tuple(base, fc.array(mutation, { maxLength: maxMutations }))
    .map(([bytes, mutations]) => mutations.reduce<Buffer>(mutate, Buffer.from(bytes)));
}

function mutate(bytes: Buffer, { kind, at, bytes: others, length }: Mutation): Buffer {
  const place = Math.floor(at * bytes.length);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (kind) {
    case 'flip':
      return Buffer.concat([
        before,
        Buffer.from(after).map((byte, i) => (i < others.length ? byte ^ (others[i] as number) : byte)),
      ]);
    case 'insert':
      return Buffer.concat([before, others, after]);
    case 'cut':
      return Buffer.concat([before, after.subarray(length)]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, length), after]);
  }
}
