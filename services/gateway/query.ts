import Type, { type TObject } from 'typebox';
import { NewEvent } from '../../domain/event.ts';
import { Closed } from '../../domain/fields.ts';
import { firstIdAt } from '../../domain/ids.ts';
import { type FieldError, fieldProblem } from './problems.ts';
import { Status } from './routes/answers.ts';
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

const Time = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }));

/** What lists of events and of deliveries are narrowed down by. */
export const eventFilters = {
  event_name: Type.Optional(NewEvent.properties.event_name),
  since: Time('What was published then or later: RFC 3339.'),
  until: Time('What was published before: RFC 3339.'),
  status: Type.Optional(Status),
};

/**
 * The ids that were made in a time.
 * @throws Problem query-invalid
 */
export function idsIn({ since, until }: { since?: string | undefined; until?: string | undefined }) {
  const [from, below] = [since, until].map((time) => (time === undefined ? undefined : firstIdAt(Date.parse(time))));
  if (from !== undefined && below !== undefined && from > below)
    throw fieldProblem('query-invalid', [{ field: 'until', message: 'must not be before since' }]);
  return { from, below };
}

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
