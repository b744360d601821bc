/** Why a request was not answered as it should have been: what the API says of it, or that there was no answer. */
export class Refused extends Error {
  /** Of the answer; 0 where there was none. */
  readonly status: number;
  readonly title: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];

  constructor(status: number, { title, detail, errors = [] }: Partial<Problem>) {
    super(detail ?? title ?? `The answer was ${status}.`);
    this.status = status;
    this.title = title ?? 'Something went wrong';
    this.errors = errors;
  }

  /** Whether asking again with the same key would be answered the same. */
  get isForGood(): boolean {
    return this.status === 401 || this.status === 403 || this.status === 404;
  }
}

interface Problem {
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

/** A part of a list, and the path of the next one, where there is one. */
export interface Part<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

export type Api = ReturnType<typeof apiWith>;
type Query = Readonly<Record<string, string | number | undefined>>;

/** The API, with the key of whoever has signed in. It goes nowhere but into the header. */
export function apiWith(key: string) {
  async function ask(method: string, path: string, { body, headers, signal }: Asked = {}): Promise<Response> {
    const answer = await fetch(path, {
      ...{ method, cache: 'no-store', credentials: 'omit', redirect: 'error' },
      headers: { Authorization: `Bearer ${key}`, ...(body && { 'Content-Type': 'application/json' }), ...headers },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    }).catch((error: Error) => {
      if (error.name === 'AbortError') throw error;
      throw new Refused(0, { title: 'The server cannot be reached', detail: 'It did not answer. Is it running?' });
    });
    if (answer.ok) return answer;
    throw new Refused(answer.status, await answer.json().catch(() => ({ title: answer.statusText })));
  }

  return {
    get: async <T>(path: string, query: Query = {}): Promise<T> => (await ask('GET', path + asText(query))).json(),
    async list<T>(path: string, query: Query = {}): Promise<Part<T>> {
      const answer = await ask('GET', path + asText(query));
      return { items: await answer.json(), next: /^<([^>]+)>/.exec(answer.headers.get('Link') ?? '')?.[1] };
    },
    /** An idempotency key, so that what is sent again by the browser is not done again. */
    post: async <T>(path: string, body: object = {}): Promise<T> =>
      (await ask('POST', path, { body, headers: { 'Idempotency-Key': crypto.randomUUID() } })).json(),
    put: async <T>(path: string, body: object): Promise<T> => (await ask('PUT', path, { body })).json(),
    /** A stream of server-sent events: EventSource cannot send a key. */
    stream: (path: string, lastEventId: string | undefined, signal: AbortSignal): Promise<Response> =>
      ask('GET', path, {
        headers: { Accept: 'text/event-stream', ...(lastEventId && { 'Last-Event-ID': lastEventId }) },
        signal,
      }),
  };
}

interface Asked {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

function asText(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length > 0 ? `?${new URLSearchParams(given as [string, string][])}` : '';
}
