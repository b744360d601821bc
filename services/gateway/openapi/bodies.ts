import type { TObject } from 'typebox';
import type { Route } from '../route.ts';
import { exampleOf } from './example.ts';
import { type JsonSchema, mapped, type SchemaOf } from './schemas.ts';

/** What a route takes, as JSON and, where a form can say it, as a form. */
export function requestBody({ body }: Pick<Route, 'body'>, schemaOf: SchemaOf) {
  if (!body) return {};
  const { required = [], properties } = body as JsonSchema;
  const json = { schema: schemaOf(body), example: exampleOf(body) };
  const form = isForm(body) && Object.keys(properties ?? {}).length > 0 && formOf(body, schemaOf);
  return {
    requestBody: {
      required: required.length > 0,
      content: { 'application/json': json, ...(form && { 'application/x-www-form-urlencoded': form }) },
    },
  };
}

/** Lists of objects have no form that a description of one could name. */
function isForm({ properties }: TObject): boolean {
  return Object.values(properties).every((schema) => unclearable(schema as JsonSchema).items?.type !== 'object');
}

/** A form names its lists `event_names[]=…` and what is in an object `data[created_at]=…`; it has no null. */
function formOf(body: TObject, schemaOf: SchemaOf) {
  const fields = mapped(body.properties as Record<string, JsonSchema>, unclearable);
  const nameOf = (name: string) => (fields[name]?.type === 'array' ? `${name}[]` : name);
  const named = Object.fromEntries(Object.entries(fields).map(([name, field]) => [nameOf(name), field]));
  const objects = Object.entries(fields).filter(([, { type }]) => type === 'object');
  const { title: _, required, ...rest } = body as JsonSchema;
  const schema = { ...rest, ...(required && { required: required.map(nameOf) }), properties: named } as JsonSchema;
  return {
    schema: schemaOf(schema),
    example: exampleOf(schema),
    ...(objects.length > 0 && {
      encoding: Object.fromEntries(objects.map(([name]) => [name, { style: 'deepObject', explode: true }])),
    }),
  };
}

function unclearable(schema: JsonSchema): JsonSchema {
  return (schema.anyOf?.[0] as JsonSchema | undefined) ?? schema;
}
