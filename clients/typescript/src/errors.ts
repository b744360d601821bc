import type { Problem, ProblemCode } from './api.ts';

/** What the server answered where that is no success: a problem (RFC 9457), or what something before it says. */
export class ApiError extends Error {
  /** Of HTTP. */
  readonly status: number;
  /** What tells the problem from others; undefined where the answer was none of the server's own. */
  readonly code: ProblemCode | undefined;
  readonly title: string | undefined;
  /** Every wrong field: its path, such as `data.created_at` or `events[3].event_name`, and what is wrong with it. */
  readonly errors: NonNullable<Problem['errors']>;
  /** By which the server's operator finds it in the log. */
  readonly requestId: string | undefined;
  /** How long the server asks to wait, in ms; undefined where it does not. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, detail: string, more: ErrorDetails = {}) {
    super(detail);
    this.name = 'ApiError';
    this.status = status;
    this.code = more.code;
    this.title = more.title;
    this.errors = more.errors ?? [];
    this.requestId = more.requestId;
    this.retryAfterMs = more.retryAfterMs;
  }
}

export interface ErrorDetails {
  readonly code?: ProblemCode | undefined;
  readonly title?: string | undefined;
  readonly errors?: Problem['errors'];
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** There was no whole answer: the server was not reached, or the connection broke. Whether it did what was asked is not known. */
export class ConnectionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ConnectionError';
  }
}

/** There was no whole answer in time. */
export class TimeoutError extends ConnectionError {
  constructor(timeoutMs: number) {
    super(`no answer in ${timeoutMs} ms`);
    this.name = 'TimeoutError';
  }
}

/** Whether an error is the server's answer with one of these codes; without any, with any at all. */
export function isProblem(error: unknown, ...codes: ProblemCode[]): error is ApiError & { readonly code: ProblemCode } {
  if (!(error instanceof ApiError) || error.code === undefined) return false;
  return codes.length === 0 || codes.includes(error.code);
}

/** The error that an answer is. */
export async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text();
  const problem = problemIn(text);
  const requestId = response.headers.get('x-request-id') ?? undefined;
  const retryAfterMs = retryAfterIn(response.headers.get('retry-after'));
  const more = { requestId, retryAfterMs };
  if (!problem) {
    return new ApiError(
      response.status,
      text.slice(0, SHOWN) || response.statusText || 'an answer without a word',
      more,
    );
  }
  const { type, title, detail, errors } = problem;
  const code = type.slice(type.lastIndexOf('#') + 1) as ProblemCode;
  return new ApiError(response.status, `${title}: ${detail}`, { ...more, code, title, errors });
}

/** How much of an answer that is no problem is shown, in characters. */
const SHOWN = 200;

function problemIn(text: string): Problem | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Problem>;
    return typeof value.type === 'string' && typeof value.detail === 'string' ? (value as Problem) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfterIn(header: string | null): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
