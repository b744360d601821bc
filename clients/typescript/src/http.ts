import { OPERATIONS, type Operations } from './api.ts';
import { type ApiError, ConnectionError, errorOf, TimeoutError } from './errors.ts';
import { backoffMs, isWorthRepeating, sleep } from './retries.ts';

export interface ClientOptions {
  /** Where the server is, such as `https://webhooks.example.com`. */
  readonly baseUrl: string;
  /** The publisher, subscriber or admin key that requests are made with; a call can name another. */
  readonly key?: string | undefined;
  /** How long one request may take, in ms; 30 s unless said otherwise. Waiting for the feed comes on top. */
  readonly timeoutMs?: number | undefined;
  /** How often a request is repeated that got no answer, or one that says to come again; 4 unless said otherwise. */
  readonly retries?: number | undefined;
  /** About how long to wait before the first repetition, in ms, twice as long before each next; 250 unless said otherwise. */
  readonly backoffMs?: number | undefined;
  /** The longest `Retry-After` that is waited for, in ms; 60 s unless said otherwise. What asks for more is an error at once. */
  readonly maxRetryAfterMs?: number | undefined;
  /** In place of the one that the platform has. */
  readonly fetch?: typeof fetch | undefined;
}

/** What any call takes beside what it is about. */
export interface CallOptions {
  /** In place of the client's. */
  readonly key?: string | undefined;
  /** Ends the call, also between repetitions. */
  readonly signal?: AbortSignal | undefined;
  /** In place of the client's. */
  readonly timeoutMs?: number | undefined;
  /** Of a POST: one of your own, so that also another process can repeat it. Without it each call makes one for its repetitions. */
  readonly idempotencyKey?: string | undefined;
}

type Name = keyof Operations;

export interface Given<O extends Name> {
  /** The ids in the path, in their order. */
  readonly ids?: readonly (number | string)[];
  readonly query?: Operations[O]['query'];
  readonly body?: Operations[O]['body'];
}

export interface Answered<T> {
  readonly value: T;
  readonly headers: Headers;
}

export type Call = <O extends Name>(
  name: O,
  given: Given<O>,
  options?: CallOptions,
) => Promise<Answered<Operations[O]['answer']>>;

const DEFAULTS = { timeoutMs: 30_000, retries: 4, backoffMs: 250, maxRetryAfterMs: 60_000 };

/** Makes requests, and repeats them where that helps: each can be, since a POST has an Idempotency-Key. */
export function createCall({ baseUrl, key: ownKey, ...more }: ClientOptions): Call {
  const base = baseUrl.replace(/\/+$/, '');
  const send = more.fetch ?? globalThis.fetch;
  const retries = more.retries ?? DEFAULTS.retries;
  const firstMs = more.backoffMs ?? DEFAULTS.backoffMs;
  const maxRetryAfterMs = more.maxRetryAfterMs ?? DEFAULTS.maxRetryAfterMs;

  return async (name, { ids = [], query, body }, options = {}) => {
    const { key = ownKey, signal, timeoutMs = more.timeoutMs ?? DEFAULTS.timeoutMs } = options;
    const { method, path } = OPERATIONS[name];
    const url = base + filled(path, ids) + queryOf(query);
    const headers = headersOf(method, key, body, options.idempotencyKey);
    const request = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    let wasUnsure = false;
    for (let repeated = 0; ; repeated++) {
      const outcome = await attempt(send, url, request, { signal, timeoutMs });
      if (!(outcome instanceof Error)) return outcome as never;
      // Gone already: an earlier one of these did it, whose answer was lost.
      if (method === 'DELETE' && wasUnsure && isGone(outcome))
        return { value: { response: 'ok' }, headers: new Headers() } as never;
      wasUnsure ||= outcome instanceof ConnectionError || (outcome as ApiError).status >= 500;
      const waitMs = (outcome as Partial<ApiError>).retryAfterMs ?? backoffMs(repeated, firstMs);
      if (repeated >= retries || !isWorthRepeating(outcome) || waitMs > maxRetryAfterMs) throw outcome;
      await sleep(waitMs, signal);
    }
  };
}

const isGone = (error: Error) => (error as Partial<ApiError>).status === 404;

/** One request: what it was answered with, or why there is nothing. @throws the signal's reason */
async function attempt(
  send: typeof fetch,
  url: string,
  request: RequestInit,
  { signal, timeoutMs }: { readonly signal: AbortSignal | undefined; readonly timeoutMs: number },
): Promise<Answered<unknown> | ApiError | ConnectionError> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await send(url, {
      ...request,
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    if (!response.ok) return await errorOf(response);
    return { value: await response.json(), headers: response.headers };
  } catch (error) {
    signal?.throwIfAborted();
    if (timeout.aborted) return new TimeoutError(timeoutMs);
    return new ConnectionError(`no answer from ${new URL(url).origin}: ${reasonOf(error)}`, { cause: error });
  }
}

/** What fetch says is only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}

function headersOf(method: string, key: string | undefined, body: unknown, idempotencyKey?: string) {
  return {
    accept: 'application/json',
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(method === 'POST' && { 'idempotency-key': idempotencyKey ?? crypto.randomUUID() }),
  };
}

function filled(path: string, ids: readonly (number | string)[]): string {
  let next = 0;
  return path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(String(ids[next++])));
}

function queryOf(query: object = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}
