import { ACCESS } from '../access.ts';
import { PROBLEMS, Problem, ProblemAnswer, type ProblemCode, typeOf } from '../problems.ts';
import type { Route } from '../route.ts';
import type { SchemaOf } from './schemas.ts';

/** What can go wrong wherever something is asked for. */
const ANYWHERE: readonly ProblemCode[] = [
  ...(['malformed-request', 'host-unknown', 'request-timeout', 'headers-too-large', 'pipelined-too-many'] as const),
  ...(['query-invalid', 'internal', 'stopping'] as const),
  ...(['store-unavailable', 'read-models-behind', 'contended', 'master-secret-missing'] as const),
];
const OF_KEYS: readonly ProblemCode[] = ['key-missing', 'key-malformed', 'key-refused', 'too-many-bad-keys'];
const OF_PATHS: Readonly<Record<string, ProblemCode>> = {
  channel: 'channel-not-found',
  webhook: 'webhook-not-found',
  event: 'event-not-found',
  recovery: 'recovery-not-found',
};
const OF_BODIES: readonly ProblemCode[] = [
  ...(['malformed-body', 'body-too-large', 'media-type-unknown', 'encoding-unknown', 'fields-invalid'] as const),
];
const OF_REPETITIONS: readonly ProblemCode[] = ['idempotency-key-reused', 'idempotency-key-invalid'];

/** The names of the ids in a path. */
export const idsIn = (path: string): string[] => [...path.matchAll(/:(\w+)/g)].map(([, name]) => name as string);

/** All that can go wrong at a route, by its row. */
function codesOf({ method, path, access, body, isDelivering, isPublishing, problems = [] }: Route): ProblemCode[] {
  const codes = [
    ...ANYWHERE,
    ...(method === 'GET' ? [] : ['cross-site' as const]),
    ...(ACCESS[access].withoutKey === 'always' ? [] : OF_KEYS),
    ...idsIn(path).map((name) => OF_PATHS[name] as ProblemCode),
    ...(body ? OF_BODIES : []),
    ...(method === 'POST' ? OF_REPETITIONS : []),
    ...(isDelivering ? ['overloaded' as const] : []),
    ...(isPublishing ? ['rate-limited' as const] : []),
    ...problems,
  ];
  return (Object.keys(PROBLEMS) as ProblemCode[]).filter((code) => codes.includes(code));
}

/** What a header of problems is called in the document, and in which of them it is. */
const HEADERS: readonly (readonly [name: string, component: string, statuses: readonly number[]])[] = [
  ['X-Request-Id', 'RequestId', []],
  ['WWW-Authenticate', 'Challenge', [401]],
  ['Retry-After', 'RetryAfter', [429, 503]],
];

/** Answers that say what went wrong, each told by its status and all that it can mean there. */
export function createProblemAnswers(schemaOf: SchemaOf) {
  const byName: Record<string, object> = {};

  function answer(status: number, codes: readonly ProblemCode[]) {
    const name = [status, ...codes].join('.');
    byName[name] ??= {
      description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].meaning}`).join('\n\n'),
      headers: Object.fromEntries(
        HEADERS.filter(([, , statuses]) => statuses.length === 0 || statuses.includes(status)).map(
          ([header, component]) => [header, { $ref: `#/components/headers/${component}` }],
        ),
      ),
      content: {
        'application/problem+json': {
          schema: {
            allOf: [
              schemaOf(ProblemAnswer),
              { properties: { type: { enum: codes.map(typeOf) }, status: { const: status } } },
            ],
          },
          examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
        },
      },
    };
    return { $ref: `#/components/responses/${name}` };
  }

  return {
    byName,
    of(route: Route): Record<string, object> {
      const byStatus = Map.groupBy(codesOf(route), (code) => PROBLEMS[code].status);
      return Object.fromEntries([...byStatus].map(([status, codes]) => [String(status), answer(status, codes)]));
    },
  };
}

const WITH_FIELDS: readonly ProblemCode[] = ['fields-invalid', 'query-invalid'];

function exampleOf(code: ProblemCode): Problem {
  const errors = code === 'query-invalid' ? [{ field: 'nmae', message: 'is not known here' }] : OF_A_BODY;
  return new Problem(code, `${PROBLEMS[code].title}.`, WITH_FIELDS.includes(code) ? { errors } : {});
}

const OF_A_BODY = [
  { field: 'name', message: 'is required' },
  { field: 'nmae', message: 'is not known here' },
];
