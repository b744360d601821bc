/** What is taken of an OpenAPI document. */
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly responses: Readonly<Record<string, object>>;
  };
}

interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: Schema;
    readonly description: string;
  }[];
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content>>;
}

const METHODS = ['get', 'post', 'put', 'delete'] as const;
const JSON_TYPE = 'application/json';

/** The types of an API, and where its operations are, as a module of TypeScript. */
export function apiModule(document: Document): string {
  const operations = operationsIn(document);
  return [
    '// Made from the description of the API: node clients/typescript/generate/main.ts',
    `/** What tells a problem from others. */\nexport type ProblemCode =\n${codesIn(document)
      .map((code) => `  | '${code}'`)
      .join('\n')};`,
    ...Object.entries(document.components.schemas).map(
      ([name, schema]) => `export interface ${name} ${typeOf(schema)}`,
    ),
    `/** What each operation takes and answers. */\nexport interface Operations {\n${operations.map(signatureOf).join('\n')}\n}`,
    `/** Where each operation is. */\nexport const OPERATIONS = {\n${operations.map(placeOf).join('\n')}\n} as const;`,
    '',
  ].join('\n\n');
}

interface Placed extends Operation {
  readonly method: string;
  readonly path: string;
}

/** Those that speak JSON. */
function operationsIn({ paths }: Document): Placed[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => method in methods)
      .map((method) => ({ ...(methods[method] as Operation), method: method.toUpperCase(), path }))
      .filter((operation) => answerOf(operation) !== undefined),
  );
}

function answerOf({ responses }: Operation): Schema | undefined {
  return (responses[200] ?? responses[201])?.content?.[JSON_TYPE]?.schema;
}

function codesIn({ components }: Document): string[] {
  const types = JSON.stringify(components.responses).matchAll(/"\/docs\/errors#([a-z-]+)"/g);
  return [...new Set([...types].map(([, code]) => code as string))].sort();
}

function signatureOf(operation: Placed): string {
  const { operationId, summary, parameters = [], requestBody } = operation;
  const asked = parameters.filter((parameter) => parameter.in === 'query');
  const query = asked.map(({ name, description, schema }) => fieldOf(name, { description, ...schema }, true, '      '));
  const body = requestBody?.content?.[JSON_TYPE]?.schema;
  return [
    `  /** ${summary}. */`,
    `  ${operationId}: {`,
    `    query: ${query.length > 0 ? `{\n${query.join('\n')}\n    } | undefined` : 'undefined'};`,
    `    body: ${body ? typeOf(body, '    ') : 'undefined'};`,
    `    answer: ${typeOf(answerOf(operation) as Schema, '    ')};`,
    '  };',
  ].join('\n');
}

function placeOf({ operationId, method, path }: Placed): string {
  return `  ${operationId}: { method: '${method}', path: '${path}' },`;
}

/** A schema as a type. */
export function typeOf(schema: Schema, indent = ''): string {
  const { $ref, enum: choices, anyOf, type, items, properties, additionalProperties } = schema;
  if ($ref !== undefined) return $ref.slice($ref.lastIndexOf('/') + 1);
  if (schema.const !== undefined) return literal(schema.const);
  if (choices !== undefined) return choices.map(literal).join(' | ');
  if (anyOf !== undefined) return anyOf.map((choice) => typeOf(choice, indent)).join(' | ');
  if (type === 'array') return `Array<${typeOf(items as Schema, indent)}>`;
  if (type === 'integer' || type === 'number') return 'number';
  if (properties !== undefined && Object.keys(properties).length > 0) return objectOf(schema, indent);
  if (type !== 'object') return type ?? 'unknown';
  const other = typeof additionalProperties === 'object' ? typeOf(additionalProperties, indent) : 'never';
  return `Record<string, ${other}>`;
}

function objectOf({ properties = {}, required = [] }: Schema, indent: string): string {
  const fields = Object.entries(properties).map(([name, field]) =>
    fieldOf(name, field, !required.includes(name), `${indent}  `),
  );
  return `{\n${fields.join('\n')}\n${indent}}`;
}

function fieldOf(name: string, field: Schema, isOptional: boolean, indent: string): string {
  const comment = field.description ? `${indent}/** ${field.description} */\n` : '';
  return `${comment}${indent}${name}${isOptional ? '?' : ''}: ${typeOf(field, indent)}${isOptional ? ' | undefined' : ''};`;
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
}
