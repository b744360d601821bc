import { Refusal, type RefusalCode } from '../../domain/refusal.ts';
import { StoreUnavailable } from '../../infra/event-store/errors.ts';
import { MasterSecretMissing } from '../../infra/master-secrets.ts';

interface Row {
  readonly status: number;
  readonly title: string;
}

const row = (status: number, title: string): Row => ({ status, title });

/** Every error that the gateway answers with. `docs/errors.md` is held to this table by a test. */
export const PROBLEMS = {
  'malformed-request': row(400, 'The request is not HTTP as it should be'),
  'malformed-body': row(400, 'The body cannot be read'),
  'key-missing': row(401, 'A key is needed'),
  'key-malformed': row(401, 'The key is malformed'),
  'key-refused': row(403, 'This key may not do that'),
  'cross-site': row(403, 'Another site may not do that'),
  'not-found': row(404, 'There is nothing here'),
  'channel-not-found': row(404, 'There is no such channel'),
  'webhook-not-found': row(404, 'There is no such webhook'),
  'event-not-found': row(404, 'There is no such event'),
  'recovery-not-found': row(404, 'There is no such recovery'),
  'erasure-not-found': row(404, 'There is no such erasure'),
  'not-there-then': row(404, 'It was not there then'),
  'no-checkpoint': row(404, 'There is no such checkpoint'),
  'method-not-allowed': row(405, 'This path does not take that method'),
  'request-timeout': row(408, 'The request took too long to arrive'),
  'channel-exists': row(409, 'The channel exists already'),
  'webhook-exists': row(409, 'The webhook exists already'),
  'guid-taken': row(409, 'The guid is taken'),
  'too-many-recoveries': row(409, 'Too many recoveries of this webhook are running'),
  'nothing-to-redeliver': row(409, 'There is no webhook left that the event was for'),
  'idempotency-key-reused': row(409, 'The Idempotency-Key was used for another request'),
  'body-too-large': row(413, 'The body is too large'),
  'media-type-unknown': row(415, 'The body is of a type that is not taken'),
  'encoding-unknown': row(415, 'The body is encoded in a way that is not taken'),
  'host-unknown': row(421, 'This server does not go by that name'),
  'fields-invalid': row(422, 'Some fields are not valid'),
  'guid-immutable': row(422, 'The guid cannot be changed'),
  'query-invalid': row(422, 'Some query parameters are not valid'),
  'idempotency-key-invalid': row(422, 'The Idempotency-Key is not valid'),
  'pipelined-too-many': row(429, 'Too many requests wait on this connection'),
  'too-many-bad-keys': row(429, 'Too many bad keys'),
  'rate-limited': row(429, 'The channel has published what it may for now'),
  'too-many-waiting': row(429, 'Too many requests wait for events'),
  'headers-too-large': row(431, 'The request headers are too large'),
  internal: row(500, 'Something went wrong here'),
  'store-unavailable': row(503, 'The event store cannot be reached'),
  'read-models-behind': row(503, 'The read models are behind'),
  contended: row(503, 'Too many changes at once'),
  overloaded: row(503, 'More is published than can be delivered'),
  'master-secret-missing': row(503, 'A master secret is missing here'),
  'not-ready': row(503, 'Not ready'),
  stopping: row(503, 'This server is stopping'),
} satisfies Record<RefusalCode, Row> & Record<string, Row>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What is wrong with one field: its path, such as `data.created_at`, and what it must be. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

interface More {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer that says what went wrong: RFC 9457. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, { errors, headers = {} }: More = {}) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.errors = errors;
    this.headers = { ...HEADERS[PROBLEMS[code].status], ...headers };
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  toJSON() {
    const { status, title } = PROBLEMS[this.code];
    const errors = this.errors && { errors: this.errors };
    return { type: `/docs/errors#${this.code}`, title, status, detail: this.message, ...errors };
  }
}

/** A problem with fields: its detail names the first of them. */
export function fieldProblem(code: ProblemCode, errors: readonly FieldError[]): Problem {
  const first = errors.slice(0, MENTIONED).map(({ field, message }) => `${field} ${message}`);
  const rest = errors.length > MENTIONED ? [`and ${errors.length - MENTIONED} more`] : [];
  return new Problem(code, `${[...first, ...rest].join('; ')}.`, { errors });
}

/** The most fields that a detail names. */
const MENTIONED = 5;

/** Headers that every problem of a status has. */
const HEADERS: Readonly<Record<number, Record<string, string>>> = {
  401: { 'WWW-Authenticate': 'Basic realm="webhooks"' },
  503: { 'Retry-After': '1' },
};

/** The problem that an error is to the client; undefined where it is none of the client's business. */
export function asProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof StoreUnavailable) return new Problem('store-unavailable', 'Nothing is lost. Try again shortly.');
  if (error instanceof MasterSecretMissing) return new Problem('master-secret-missing', `${error.message}.`);
  if (!(error instanceof Refusal)) return undefined;
  const { code, message, field } = error;
  return new Problem(code, message, field === undefined ? {} : { errors: [{ field, message }] });
}
