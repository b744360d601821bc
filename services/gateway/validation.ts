import { Ajv, type ErrorObject, type SchemaObject, type SchemaValidateFunction } from 'ajv';
import { fullFormats } from 'ajv-formats/dist/formats.js';
import type { TObject } from 'typebox';
import { DESTINATION, isHttpUrl, MAX_URL_LENGTH, MUST } from '../../domain/fields.ts';
import { HEADER_NAMES, headerNameErrors } from '../../domain/webhook-headers.ts';
import type { FieldError } from './problems.ts';

/** The most fields that one answer complains about. */
const MAX_ERRORS = 100;

/** What is wrong with a value; undefined where nothing is. */
export type Validate = (value: unknown) => readonly FieldError[] | undefined;

/** What a deployment's settings say against a value, in words that go on after the field's name; undefined where nothing. */
export type Objection = (text: string) => string | undefined;

/**
 * Compiles a schema into a function that finds all wrong fields.
 * @param objections by what a field with a keyword of that name holds
 */
export function createCompiler(objections: { destination: Objection }): (schema: TObject) => Validate {
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: true });
  ajv.addVocabulary([MUST]);
  ajv.addKeyword({
    keyword: HEADER_NAMES,
    type: 'object',
    schemaType: 'boolean',
    errors: true,
    validate: areHeaderNames,
  });
  ajv.addKeyword({ keyword: DESTINATION, type: 'string', errors: 'full', validate: objecting(objections.destination) });
  for (const [name, { validate }] of Object.entries(FORMATS)) ajv.addFormat(name, { validate });
  return (schema) => {
    const isValid = ajv.compile(schema);
    return (value) => (isValid(value) ? undefined : fieldErrors(value, isValid.errors ?? []));
  };
}

/** The check behind HEADER_NAMES, in the form that ajv asks for: what is wrong hangs on the function. */
const areHeaderNames: SchemaValidateFunction = (_: boolean, headers: Readonly<Record<string, unknown>>) => {
  areHeaderNames.errors = headerNameErrors(headers).map(({ name, message }) => ({
    keyword: HEADER_NAMES,
    message,
    params: { ownProperty: name },
  }));
  return areHeaderNames.errors.length === 0;
};

/** A keyword that holds where there is no objection to the text. */
function objecting(objection: Objection): SchemaValidateFunction {
  const validate: SchemaValidateFunction = (_: unknown, text: string) => {
    const message = objection(text);
    if (message === undefined) return true;
    validate.errors = [{ keyword: DESTINATION, message, params: {} }];
    return false;
  };
  return validate;
}

/** Names of a schema's own fields that are of a type. */
export function fieldsOfType({ properties }: TObject, type: string): string[] {
  return Object.keys(properties).filter((name) => (properties[name] as { type?: unknown }).type === type);
}

const EMAIL = fullFormats.email as RegExp;
const MAX_EMAIL_LENGTH = 254;
const { validate: isTime } = fullFormats['date-time'] as { validate: (text: string) => boolean };

/** Lengths are looked at first: all rules are checked, and the expression for an email takes its time with long texts. */
const FORMATS: Readonly<Record<string, { validate: (text: string) => boolean; must: string }>> = {
  email: {
    validate: (text) => text.length <= MAX_EMAIL_LENGTH && EMAIL.test(text),
    must: `must be an email address of at most ${MAX_EMAIL_LENGTH} characters`,
  },
  'date-time': {
    validate: (text) => isTime(text) && !Number.isNaN(Date.parse(text)),
    must: 'must be a time such as 2026-11-24T09:00:00Z (RFC 3339)',
  },
  'http-url': {
    validate: (text) => text.length <= MAX_URL_LENGTH && isHttpUrl(text),
    must: `must be an http or https URL without user info, at most ${MAX_URL_LENGTH} characters`,
  },
};

/** One error a field, the first. Of an optional null only the other choice is worth a word. */
function fieldErrors(value: unknown, errors: readonly ErrorObject[]): FieldError[] {
  const byField = new Map<string, FieldError>();
  for (const error of errors) {
    if (error.keyword === 'anyOf' || (error.keyword === 'type' && error.params.type === 'null')) continue;
    const field = fieldOf(value, error);
    if (!byField.has(field)) byField.set(field, { field, message: messageOf(error) });
    if (byField.size === MAX_ERRORS) break;
  }
  return [...byField.values()];
}

/** Where in a value something is wrong: `events[3].event_name`. */
function fieldOf(value: unknown, { instancePath, params }: ErrorObject): string {
  const path = instancePath.split('/').slice(1).map(unescapePointer);
  const own = params.missingProperty ?? params.additionalProperty ?? params.ownProperty;
  let inner = value;
  let field = '';
  for (const name of own === undefined ? path : [...path, own]) {
    if (Array.isArray(inner)) field += `[${name}]`;
    else field += field === '' ? name : `.${name}`;
    inner = (inner as Record<string, unknown> | undefined)?.[name];
  }
  return field;
}

/** https://www.rfc-editor.org/rfc/rfc6901#section-4 */
function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'must be a string',
  boolean: 'must be true or false',
  integer: 'must be a whole number',
  object: 'must be an object',
  array: 'must be a list',
};

function messageOf({ keyword, params, parentSchema, message }: ErrorObject): string {
  const schema = parentSchema as SchemaObject;
  switch (keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
      return 'is not known here';
    case 'type':
      return TYPES[params.type] ?? `must be of type ${params.type}`;
    case 'minLength':
      return params.limit === 1 ? 'must not be empty' : `must have at least ${params.limit} characters`;
    case 'maxLength':
      return FORMATS[schema.format]?.must ?? `must have at most ${params.limit} characters`;
    case 'format':
      return FORMATS[params.format]?.must ?? 'is malformed';
    case 'pattern':
      return `must ${schema[MUST] ?? `match ${params.pattern}`}`;
    case 'enum':
      return `must be one of ${params.allowedValues.join(', ')}`;
    case 'minItems':
      return 'must not be empty';
    case 'maxItems':
      return `must have at most ${params.limit} items`;
    case 'uniqueItems':
      return 'must not have the same twice';
    case 'maxProperties':
      return `must be ${params.limit} at most`;
    case 'minimum':
    case 'maximum':
      return `must be a whole number from ${schema.minimum} to ${schema.maximum}`;
    default:
      return message ?? 'is not valid';
  }
}
