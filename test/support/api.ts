import { checkDescribed } from './described.ts';

/** What a test sends: at most one of `json` and `form`. */
export interface Call {
  readonly key?: string | undefined;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
  readonly body: any;
}

export type Api = ReturnType<typeof apiAt>;

/** Calls the API as a client would: the key as Basic auth. */
export function apiAt(url: string) {
  async function call(method: string, path: string, { key, json, form, headers }: Call = {}): Promise<Answered> {
    const sent = new Headers(headers);
    if (key !== undefined) sent.set('authorization', `Basic ${btoa(`${key}:`)}`);
    if (json !== undefined) sent.set('content-type', 'application/json');
    const body = json !== undefined ? JSON.stringify(json) : form && new URLSearchParams(form);
    const answer = await fetch(url + path, { method, headers: sent, redirect: 'manual', ...(body && { body }) });
    const text = await answer.text();
    const mediaType = answer.headers.get('content-type');
    const isJson = /json/.test(mediaType ?? '');
    const answered = {
      status: answer.status,
      headers: answer.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    };
    checkDescribed({ method, path, mediaType, ...answered });
    return answered;
  }

  async function made(path: string, json: unknown, key?: string) {
    const { status, body } = await call('POST', path, { json, key });
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  return {
    call,
    newChannel: (fields: object = {}): Promise<{ id: number; publisher_key: string }> =>
      made('/v1/channels', { name: 'a channel', ...fields }),
    newWebhook: (
      channel: { id: number; publisher_key: string },
      webhook_url: string,
      fields: object = {},
    ): Promise<NewWebhook> =>
      made(`/v1/channels/${channel.id}/webhooks`, { webhook_url, ...fields }, channel.publisher_key),
    publish: (channel: { id: number; publisher_key: string }, event: object = {}): Promise<{ id: number }> =>
      made(`/v1/channels/${channel.id}/events`, { event_name: 'test.happened', ...event }, channel.publisher_key),
    log: async (channel: { id: number; publisher_key: string }, eventId: number): Promise<LogEntry[]> => {
      const path = `/v1/channels/${channel.id}/events/${eventId}/notification_log?limit=250`;
      const { status, body } = await call('GET', path, { key: channel.publisher_key });
      if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
      return body;
    },
  };
}

export interface NewWebhook {
  readonly id: number;
  readonly subscriber_key: string;
  readonly signing_secret: string;
}

export interface LogEntry {
  readonly webhook_id: number;
  readonly webhook_url: string;
  readonly status: string;
  readonly next_attempt_at: string | null;
  readonly attempts: readonly {
    readonly attempt: number;
    readonly at: string;
    readonly status_code: number | null;
    readonly error: string | null;
    readonly trigger: string;
    readonly response_body: string;
    readonly webhook_revision: number;
  }[];
}
