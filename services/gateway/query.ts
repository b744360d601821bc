import Type, { type TObject } from 'typebox';
import { Closed } from '../../domain/fields.ts';
import { type FieldError, fieldProblem } from './problems.ts';
import { fieldsOfType, type Validate } from './validation.ts';

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 250;

/** The query of a list. */
export const listQuery = (defaultLimit: number) =>
  Closed({
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: defaultLimit, description: 'The most items to answer.' }),
    ),
    after: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Id of the last item of the page before this one.',
      }),
    ),
  });

const NOTHING = Closed({});
const DIGITS = /^[0-9]{1,16}$/;

/** @returns a function that reads the query of a route, throwing Problem query-invalid */
export function createQueryReader(compile: (schema: TObject) => Validate, schema: TObject = NOTHING) {
  const validate = compile(schema);
  const numbers = new Set(fieldsOfType(schema, 'integer'));
  return (querystring: string): Record<string, unknown> => {
    const query: Record<string, unknown> = Object.create(null);
    if (querystring === '') return query;
    const errors: FieldError[] = [];
    for (const [field, text] of new URLSearchParams(querystring)) {
      if (field in query) errors.push({ field, message: 'must be given once' });
      query[field] = numbers.has(field) && DIGITS.test(text) ? Number(text) : text;
    }
    errors.push(...(validate(query) ?? []));
    if (errors.length > 0) throw fieldProblem('query-invalid', errors);
    return query;
  };
}
