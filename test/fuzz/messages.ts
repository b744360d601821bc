import fc, { type Arbitrary } from 'fast-check';
import { endlessVarint, field, numberField, varint } from '../support/protobuf.ts';

/** The fields of a protobuf message by their numbers; a list is a repeated field. */
interface Message {
  readonly [field: number]: Kind;
}
type Kind = Message | 'number' | 'text' | 'bytes' | 'pattern' | 'flag' | readonly [Kind];

/** More than a call of a function can have arguments. */
const MANY = 150_000;

/** Names that are used again, so that reads and deletions meet something. */
const NAMES = [
  'a',
  'b',
  '$$a',
  '$all',
  '$',
  '',
  '$streams',
  'a\0b',
  'a'.repeat(40),
  `${'a'.repeat(40)}!`,
  'é☃\u{1f600}',
];

const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NAMES, 'type', 'content-type', 'application/json', '$metadata', '$>') },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 100_000 }).map((length) => 'x'.repeat(length)) },
);

/** Such as take for ever where every way of matching is tried. */
const pattern = fc.constantFrom(
  '',
  '.*',
  '^a',
  '(a+)+$',
  '(a|aa)+b',
  '^(([a-z])+.)+[A-Z]([a-z])+$',
  '(',
  '[',
  '(?=a)',
  '\\1',
  '(a{1000}){1000}',
  '^[^$].*',
);

const number = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 127n, 128n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

/** What metadata of streams and links look like, else anything. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc.json({ maxDepth: 2 }).map((json) => Buffer.from(json)),
  fc
    .constantFrom(
      '{"$maxCount":0}',
      '{"$maxAge":-1}',
      '{"$tb":9007199254740991}',
      '{"$maxCount":"x"}',
      'null',
      '[]',
      '0@a',
      '99@b',
      '-1@',
      '@',
      '{"$tb":1e400}',
    )
    .map((json) => Buffer.from(json)),
);

const UUID: Message = { 1: { 1: 'number', 2: 'number' }, 2: 'text' };
const STREAM: Message = { 3: 'text' };
const EXPRESSION: Message = { 1: 'pattern', 2: ['text'] };
const EXPECTED: Message = { 1: STREAM, 2: 'number', 3: {}, 4: {}, 5: {} };
const EVENT: Message = { 1: UUID, 2: [{ 1: 'text', 2: 'text' }], 3: 'bytes', 4: 'bytes' };
const STREAM_OPTIONS: Message = { 1: STREAM, 2: 'number', 3: {}, 4: {} };
const ALL_OPTIONS: Message = { 1: { 1: 'number', 2: 'number' }, 2: {}, 3: {} };
const FILTER: Message = { 1: EXPRESSION, 2: EXPRESSION, 3: 'number', 4: {}, 5: 'number' };

/** What each method takes (streams.proto of EventStoreDB). */
export const MESSAGES = {
  Read: {
    1: {
      1: STREAM_OPTIONS,
      2: ALL_OPTIONS,
      3: 'flag',
      4: 'flag',
      5: 'number',
      6: {},
      7: FILTER,
      8: {},
      9: { 1: {}, 2: {} },
      10: { 1: 'number' },
    },
  },
  Append: { 1: EXPECTED, 2: [EVENT] },
  BatchAppend: { 1: UUID, 2: { ...EXPECTED, 6: { 1: 'number', 2: 'number' } }, 3: [EVENT], 4: 'flag' },
  Delete: { 1: EXPECTED },
  Tombstone: { 1: EXPECTED },
} as const satisfies Record<string, Message>;

/** A UUID as text is one now and then: else no event would ever be written. */
const uuid = fc.uuid().map((id) => field(2, id));

/** Messages of a kind, with any of its fields, in any values. */
export function messageOf(kind: Message): Arbitrary<Uint8Array> {
  const fields = Object.entries(kind).map(([name, inner]) => fieldsOf(Number(name), inner));
  const any = fc
    .tuple(...fields.map((some) => fc.option(some, { nil: new Uint8Array(0), freq: 4 })))
    .map((parts): Uint8Array => Buffer.concat(parts));
  return kind === UUID ? fc.oneof({ weight: 4, arbitrary: uuid }, { weight: 1, arbitrary: any }) : any;
}

function fieldsOf(name: number, kind: Kind): Arbitrary<Uint8Array> {
  if (kind === 'number') return written(name);
  if (kind === 'flag') return fc.boolean().map((value) => numberField(name, varint(value ? 1n : 0n)));
  if (kind === 'text') return text.map((value) => field(name, value));
  if (kind === 'pattern') return pattern.map((value) => field(name, value));
  if (kind === 'bytes') return bytes.map((value) => field(name, value));
  if (Array.isArray(kind)) return repeated(fieldsOf(name, kind[0]));
  return messageOf(kind as Message).map((value) => field(name, value));
}

/** A number, or one that goes on and on. */
function written(name: number): Arbitrary<Uint8Array> {
  const endless = fc.integer({ min: 9, max: 200_000 }).map(endlessVarint);
  return fc
    .oneof({ weight: 50, arbitrary: number.map(varint) }, { weight: 1, arbitrary: endless })
    .map((digits) => numberField(name, digits));
}

/** A few, or one very often. */
function repeated(one: Arbitrary<Uint8Array>): Arbitrary<Uint8Array> {
  const few = fc.array(one, { maxLength: 4 }).map((parts): Uint8Array => Buffer.concat(parts));
  const many = one
    .filter(({ length }) => length < 200)
    .map((bytes) => Buffer.concat(Array<Uint8Array>(MANY).fill(bytes)));
  return fc.oneof({ weight: 50, arbitrary: few }, { weight: 1, arbitrary: many });
}
