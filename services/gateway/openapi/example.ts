import type { JsonSchema } from './schemas.ts';

/**
 * A value as a schema describes it, put together from the `examples` of its parts. What may be left out is in it where its own schema has one.
 */
export function exampleOf(schema: object): unknown {
  const { examples, enum: choices, anyOf, type, properties, items, minimum, ...rest } = schema as JsonSchema;
  if (examples !== undefined) return examples[0];
  if ('const' in rest) return rest.const;
  if (choices !== undefined) return choices[0];
  if (anyOf !== undefined) return exampleOf(anyOf[0] as JsonSchema);
  if (type === 'object') return exampleOfObject(schema as JsonSchema);
  if (type === 'array') return [exampleOf(items as JsonSchema)];
  if (type === 'integer' || type === 'number') return minimum ?? 0;
  return type === 'boolean' ? false : 'text';

  function exampleOfObject({ required = [] }: JsonSchema) {
    const shown = Object.entries(properties ?? {}).filter(([name, of]) => required.includes(name) || hasExample(of));
    return Object.fromEntries(shown.map(([name, of]) => [name, exampleOf(of)]));
  }
}

function hasExample({ examples, anyOf = [] }: JsonSchema): boolean {
  return examples !== undefined || anyOf.some(hasExample);
}
