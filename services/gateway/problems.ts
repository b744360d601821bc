import Type from 'typebox';
import { Refusal, type RefusalCode } from '../../domain/refusal.ts';
import { StoreUnavailable } from '../../infra/event-store/errors.ts';
import { MasterSecretMissing } from '../../infra/master-secrets.ts';

interface Row {
  readonly status: number;
  readonly title: string;
  /** What `docs/errors.md` and the page behind the problem's `type` say of it. */
  readonly meaning: string;
}

const row = (status: number, title: string, meaning: string): Row => ({ status, title, meaning });

/** Every error that the gateway answers with. */
export const PROBLEMS = {
  'malformed-request': row(
    400,
    'The request is not HTTP as it should be',
    'What arrived is not an HTTP/1 request, has no `Host` header, or has a header twice that must be there once.',
  ),
  'malformed-body': row(
    400,
    'The body cannot be read',
    'The body is not JSON, has the same name twice in an object, not a form, not UTF-8, shorter than it said, or a form with too many fields or levels.',
  ),
  'key-missing': row(401, 'A key is needed', 'The route needs a key, and there is none.'),
  'key-malformed': row(
    401,
    'The key is malformed',
    'The `Authorization` header is neither Basic with a key and an empty password nor Bearer with a key.',
  ),
  'key-refused': row(403, 'This key may not do that', 'The key is well-formed, but may not do this here.'),
  'cross-site': row(
    403,
    'Another site may not do that',
    'A browser sent this for a page of another site, which is not in `CORS_ORIGINS`.',
  ),
  'not-found': row(404, 'There is nothing here', 'No route has this path.'),
  'channel-not-found': row(404, 'There is no such channel', 'There is no such channel, or it was deleted or erased.'),
  'webhook-not-found': row(
    404,
    'There is no such webhook',
    'There is no such webhook in this channel, or it was deleted.',
  ),
  'event-not-found': row(
    404,
    'There is no such event',
    'There is no such event in this channel, or it is older than events are kept (`RETENTION`).',
  ),
  'recovery-not-found': row(404, 'There is no such recovery', 'There is no such recovery of this webhook.'),
  'erasure-not-found': row(404, 'There is no such erasure', 'Nobody has asked for this channel to be erased.'),
  'not-there-then': row(
    404,
    'It was not there then',
    'There is such a channel, webhook or event, but there was none at that time (`at`), or it has no such `revision`.',
  ),
  'no-checkpoint': row(
    404,
    'There is no such checkpoint',
    'No head of the tree over the log has been signed yet, or none that is as large as `from`.',
  ),
  'method-not-allowed': row(
    405,
    'This path does not take that method',
    'The path takes other methods: the `Allow` header lists them.',
  ),
  'request-timeout': row(408, 'The request took too long to arrive', 'The request did not arrive in time.'),
  'channel-exists': row(409, 'The channel exists already', 'A channel with this id was created before.'),
  'webhook-exists': row(409, 'The webhook exists already', 'A webhook with this id was created before.'),
  'guid-taken': row(409, 'The guid is taken', 'A live channel has this guid.'),
  'too-many-recoveries': row(
    409,
    'Too many recoveries of this webhook are running',
    'Three recoveries of this webhook are running. Another can be asked for when one of them is finished.',
  ),
  'nothing-to-redeliver': row(
    409,
    'There is no webhook left that the event was for',
    'No webhook that the event was on its way to is there any more, or there never was one: name a `webhook_id`.',
  ),
  'idempotency-key-reused': row(
    409,
    'The Idempotency-Key was used for another request',
    'The `Idempotency-Key` was sent with another request in the last 24 hours.',
  ),
  'body-too-large': row(
    413,
    'The body is too large',
    'The body has more than 256 KiB, that of a batch more than 768 KiB; or what it says takes too much room once it is written out as JSON.',
  ),
  'media-type-unknown': row(
    415,
    'The body is of a type that is not taken',
    'The body is neither `application/json` nor `application/x-www-form-urlencoded`.',
  ),
  'encoding-unknown': row(
    415,
    'The body is encoded in a way that is not taken',
    'The body has a content encoding: send it as it is.',
  ),
  'host-unknown': row(
    421,
    'This server does not go by that name',
    'The `Host` header has a name that is not in `ALLOWED_HOSTS`; on loopback all but `localhost` and addresses must be there.',
  ),
  'fields-invalid': row(422, 'Some fields are not valid', 'Fields are missing, unknown or not what they must be.'),
  'guid-immutable': row(422, 'The guid cannot be changed', 'The guid of a channel was set when it was created.'),
  'query-invalid': row(
    422,
    'Some query parameters are not valid',
    'Query parameters are unknown or not what they must be.',
  ),
  'idempotency-key-invalid': row(
    422,
    'The Idempotency-Key is not valid',
    'An `Idempotency-Key` is 1 to 255 printable ASCII characters.',
  ),
  'pipelined-too-many': row(
    429,
    'Too many requests wait on this connection',
    'More than 100 requests were sent on one connection without waiting for their answers. This one was not carried out.',
  ),
  'too-many-bad-keys': row(
    429,
    'Too many bad keys',
    'More than 20 keys from your address were refused in a minute. `Retry-After` says when they are looked at again; a key that is right is always taken.',
  ),
  'rate-limited': row(
    429,
    'The channel has published what it may for now',
    'Publishing only: the channel has published what `PUBLISH_RATE_LIMIT` gives it. Nothing was accepted; `Retry-After` says when there is more.',
  ),
  'too-many-waiting': row(
    429,
    'Too many requests wait for events',
    "The feed only: ten requests wait for this webhook's next event already, or a thousand at this gateway. Wait with fewer, or ask without `wait`.",
  ),
  'headers-too-large': row(
    431,
    'The request headers are too large',
    'The request has more than 100 headers, or they have more than 16 KiB.',
  ),
  internal: row(
    500,
    'Something went wrong here',
    "A fault of this server. The log has all of it, under the request's id.",
  ),
  'store-unavailable': row(
    503,
    'The event store cannot be reached',
    'The event store did not answer in time. Whether a change took place is not known: repeat it with an `Idempotency-Key`.',
  ),
  'read-models-behind': row(
    503,
    'The read models are behind',
    'The read models have not reached your last change yet.',
  ),
  contended: row(503, 'Too many changes at once', 'Others kept changing the same thing at the same time.'),
  overloaded: row(
    503,
    'More is published than can be delivered',
    'Publishing only: more was published than can be delivered, and there was no room within 2 seconds. Nothing was accepted; `Retry-After` says when to publish it again.',
  ),
  'master-secret-missing': row(
    503,
    'A master secret is missing here',
    'What was asked for was made with a master secret that this server is not given: its operator has taken it out of `MASTER_SECRETS` too early.',
  ),
  'not-ready': row(503, 'Not ready', '`/readyz` only: names what cannot be reached.'),
  stopping: row(503, 'This server is stopping', 'This server is shutting down.'),
} satisfies Record<RefusalCode, Row> & Record<string, Row>;

export type ProblemCode = keyof typeof PROBLEMS;

/** What tells a problem from others, and where it is explained: https://www.rfc-editor.org/rfc/rfc9457#section-3.1.1 */
export const typeOf = (code: ProblemCode): string => `${ERRORS_PAGE}#${code}`;

export const ERRORS_PAGE = '/docs/errors';

/** What is wrong with one field: its path, such as `data.created_at`, and what it must be. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A problem as it is answered. */
export const ProblemAnswer = Type.Object(
  {
    type: Type.String({ description: 'Leads to what it means.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What happened this time.' }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          field: Type.String({ description: 'Its path, such as `data.created_at` or `events[3].event_name`.' }),
          message: Type.String({ description: 'What is wrong with it.' }),
        }),
        { description: 'Every wrong field.' },
      ),
    ),
  },
  { title: 'Problem' },
);

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
    return { type: typeOf(this.code), title, status, detail: this.message, ...errors };
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
