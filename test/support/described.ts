import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import { describeApi } from '../../services/gateway/openapi/document.ts';
import { GROUPS } from '../../services/gateway/routes/routes.ts';

/** An answer of the gateway, and to what. */
export interface Answer {
  readonly method: string;
  /** May have a query. */
  readonly path: string;
  readonly status: number;
  readonly mediaType: string | null;
  /** As JSON where it is any. */
  readonly body: unknown;
}

interface Described {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, unknown>>;
}

const DOCUMENT = closed({
  ...describeApi(GROUPS),
  // What no operation answers.
  'x-problem': { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
}) as ReturnType<typeof describeApi>;
const ID = 'openapi.json';
/** How much of a body is shown where it is not as it should be, in characters. */
const SHOWN = 1_000;
/** Those without an id in a place first: https://spec.openapis.org/oas/v3.1.1#path-templating-matching */
const PATHS = Object.keys(DOCUMENT.paths)
  .sort((a, b) => a.split('{').length - b.split('{').length)
  .map((template) => ({ template, pattern: patternOf(template) }));

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
for (const name of ['date-time', 'email', 'uri'] as const) ajv.addFormat(name, fullFormats[name]);
ajv.addSchema(DOCUMENT, ID);
const compiled = new Map<string, ValidateFunction>();

/** @throws Error where the answer is not one that the description of the API allows */
export function checkDescribed(answer: Answer): void {
  const { method, path, status, mediaType, body } = answer;
  const fail = (why: string): never => {
    throw new Error(`${method} ${path} was answered ${status} ${JSON.stringify(body)?.slice(0, SHOWN)}, but ${why}`);
  };
  const [pathname = ''] = path.split('?', 1);
  const templates = PATHS.filter(({ pattern }) => pattern.test(pathname)).map(({ template }) => template);
  if (method === 'OPTIONS' && templates.length > 0 && status === 204) return;
  const verb = (method === 'HEAD' ? 'GET' : method).toLowerCase();
  const template = templates.find((template) => verb in (DOCUMENT.paths[template] as object));
  const [at, { content }] =
    template === undefined ? undescribed(status, templates, fail) : responseAt(template, verb, status, fail);
  if (content === undefined) return;
  const bare = mediaType?.split(';', 1)[0] ?? '';
  if (!(bare in content)) fail(`its type ${mediaType} is not one of ${Object.keys(content)}`);
  if (method !== 'HEAD') validate(`${at}/content/${escaped(bare)}/schema`, body, fail);
}

type Fail = (why: string) => never;

function responseAt(template: string, verb: string, status: number, fail: Fail): [pointer: string, Described] {
  const pointer = `#/paths/${escaped(template)}/${verb}/responses/${status}`;
  const response = atPointer(pointer) ?? fail(`${pointer} is not there`);
  return response.$ref ? [response.$ref, atPointer(response.$ref) as Described] : [pointer, response];
}

/** What is wrong with a request before it is one of any route. */
const ANYWHERE = [400, 403, 408, 421, 422, 429, 431, 500, 503];
const PROBLEM: Described = { content: { 'application/problem+json': {} } };

/** What is at no path, or takes no such method, is answered with the problem that says so, or with one of any request's. */
function undescribed(status: number, templates: readonly string[], fail: Fail): [pointer: string, Described] {
  const expected = templates.length > 0 ? 405 : 404;
  if (status !== expected && !ANYWHERE.includes(status)) fail(`what is not described is ${expected}`);
  return ['#/x-problem', PROBLEM];
}

function validate(pointer: string, body: unknown, fail: Fail): void {
  const isValid = compiled.get(pointer) ?? ajv.compile({ $ref: `${ID}${pointer}` });
  compiled.set(pointer, isValid);
  if (!isValid(body)) fail(`${pointer} says otherwise: ${ajv.errorsText(isValid.errors)}`);
}

function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

/** https://www.rfc-editor.org/rfc/rfc6901#section-3, in a URL's fragment */
function escaped(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function atPointer(ref: string): Described | undefined {
  const names = ref.slice(2).split('/').map(decodeURIComponent);
  return names
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<object | undefined>((of, name) => of?.[name as keyof typeof of], DOCUMENT);
}

/** The same with no room for fields that it does not name: clients have to bear with those, the gateway has none. */
function closed(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]));
  const isOpen = inner.type === 'object' && 'properties' in inner && !('additionalProperties' in inner);
  return isOpen ? { ...inner, additionalProperties: false } : inner;
}
