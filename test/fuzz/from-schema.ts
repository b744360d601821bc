import fc, { type Arbitrary } from 'fast-check';
import type { TSchema } from 'typebox';

/** What of JSON Schema our schemas use. */
interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
}

/** Any text: every character there is, halves of characters and NUL among them. */
const anyText = fc.string({ unit: 'binary', maxLength: 40 });

/** Names that have undone other programs. */
const oddName = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '',
  'length',
  '\0',
  '$ref',
);

/** So many that whoever holds each against every other one takes minutes. */
const MANY = [
  Array.from({ length: 40_000 }, (_, n) => n),
  Object.fromEntries(Array.from({ length: 15_000 }, (_, n) => [`k${n}`, n])),
];

const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  anyText,
  fc.dictionary(fc.oneof(oddName, anyText), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 4 }),
  fc.constantFrom(1e308, -0, 2 ** 53, 2 ** 63, -1, 0.1, '', 'a'.repeat(5_000), [], {}, null, true, ...MANY),
);

/** Where nobody answers: what is fuzzed must not lead out of this machine (RFC 6761, section 6.4). */
const url = fc.webUrl({ validSchemes: ['http', 'https'], withQueryParameters: true }).map((text) => {
  const { protocol, pathname, search } = new URL(text);
  return `${protocol}//nobody.invalid${pathname}${search}`;
});

/** Mostly what the schema takes, else anything. */
export function nearly(schema: TSchema | undefined): Arbitrary<unknown> {
  if (schema === undefined) return anyValue;
  return fc.oneof({ weight: 9, arbitrary: exactly(schema as Schema) }, { weight: 1, arbitrary: anyValue });
}

function exactly(schema: Schema): Arbitrary<unknown> {
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(exactly));
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return fc.array(nearly(schema.items as TSchema | undefined), { maxLength: 5 });
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return fc.integer({ min: schema.minimum ?? -1_000, max: schema.maximum ?? 1_000 });
    case 'null':
      return fc.constant(null);
    case 'string':
      return textOf(schema);
    default:
      return anyValue;
  }
}

/** Fields may be absent or wrong, and there may be others. */
function objectOf({ properties = {}, required = [] }: Schema): Arbitrary<unknown> {
  const known = Object.entries(properties).map(([name, schema]) => [name, nearly(schema as TSchema)] as const);
  const fields = fc.record(Object.fromEntries(known), { requiredKeys: [...required] });
  const others = fc.dictionary(fc.oneof(oddName, anyText), anyValue, { maxKeys: 2 });
  if (known.length === 0) return fc.dictionary(fc.oneof(oddName, anyText), anyValue, { maxKeys: 6 });
  return fc
    .tuple(fields, fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: others }))
    .map(([some, more]) => ({ ...some, ...more }));
}

function textOf({ format, pattern, minLength = 0, maxLength = 300 }: Schema): Arbitrary<string> {
  // What must not follow cannot be made on purpose: a few texts are then refused.
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern.replace(/\(\?![^)]*\)/g, '')));
  if (format === 'http-url') return url;
  if (format === 'email') return fc.emailAddress();
  return fc.string({ unit: 'binary', minLength, maxLength: Math.min(maxLength, 300) });
}
