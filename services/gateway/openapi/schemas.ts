/** What the schemas here are made of: JSON Schema 2020-12. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly title?: string;
  readonly type?: string;
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly examples?: readonly unknown[];
  readonly description?: string;
}

/** The pattern by which a record takes any name. */
const ANY_NAME = '^.*$';

/** Names that only this code knows, in those that everybody does. */
const FORMATS: Readonly<Record<string, string>> = { 'http-url': 'uri' };

export type SchemaOf = ReturnType<typeof createSchemas>['shown'];

/** Takes schemas into a document: each that has a title stands there once, under that, and is referred to. */
export function createSchemas() {
  const byTitle: Record<string, JsonSchema> = {};

  function shown(schema: object): JsonSchema {
    const { title, ...untitled } = schema as JsonSchema;
    if (title === undefined) return inner(untitled);
    const described = { title, ...inner(untitled) };
    const known = byTitle[title];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(described)) {
      throw new Error(`two schemas have the title ${title}`);
    }
    byTitle[title] = described;
    return { $ref: `#/components/schemas/${title}` };
  }

  function inner(schema: JsonSchema): JsonSchema {
    const { format, properties, patternProperties, items, anyOf, ...rest } = schema;
    return {
      ...Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith('x-'))),
      ...(format !== undefined && { format: FORMATS[format] ?? format }),
      ...(properties && { properties: mapped(properties, shown) }),
      ...(patternProperties && { additionalProperties: shown(patternProperties[ANY_NAME] as JsonSchema) }),
      ...(items && { items: shown(items) }),
      ...(anyOf && { anyOf: anyOf.map(shown) }),
    };
  }

  return { byTitle, shown };
}

export function mapped<T, S>(record: Readonly<Record<string, T>>, map: (value: T) => S): Record<string, S> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
