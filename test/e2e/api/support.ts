import { after, before } from 'mocha';
import { type Api, apiAt } from '../../support/api.ts';
import { checkDescribed } from '../../support/described.ts';
import { FORM_TYPE } from '../../support/media-types.ts';
import { type Stack, startStack } from '../../support/stack.ts';

export interface Channel {
  readonly id: number;
  readonly publisher_key: string;
}

/** What a test sends where `call` is too well-behaved: a body as it is. */
export interface Raw {
  readonly key?: string | undefined;
  readonly type?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One stack for all tests of the describe block that this is called in. */
export function useStack(env: Record<string, string> = {}) {
  let stack: Stack;
  let api: Api;
  before(async () => {
    stack = await startStack({ env });
    api = apiAt(stack.url);
  });
  after(() => stack?.stop());

  const send = async (method: string, path: string, { key, type, body, headers }: Raw = {}) => {
    const sent = new Headers(headers);
    if (key !== undefined) sent.set('authorization', `Bearer ${key}`);
    if (type !== undefined) sent.set('content-type', type);
    const answer = await fetch(stack.url + path, { method, headers: sent, ...(body !== undefined && { body }) });
    const text = await answer.text();
    const mediaType = answer.headers.get('content-type');
    const isJson = /json/.test(mediaType ?? '') && text !== '';
    const read = isJson ? JSON.parse(text) : text || undefined;
    const answered = { status: answer.status, headers: answer.headers, body: read };
    checkDescribed({ method, path, mediaType, ...answered });
    return { ...answered, text };
  };

  return {
    send,
    /** Where it listens, once it runs. */
    url: () => stack.url,
    stack: () => stack,
    call: (...args: Parameters<Api['call']>) => api.call(...args),
    newChannel: (...args: Parameters<Api['newChannel']>): Promise<Channel> => api.newChannel(...args),
    /** As curl -d sends a form: the fields as they stand, one after the other. */
    curl: (method: string, path: string, fields: readonly string[], key?: string) =>
      send(method, path, { key, type: FORM_TYPE, body: fields.join('&') }),
  };
}

/** `fields` by field, of a problem's errors. */
export function wrongFields({ errors }: { errors?: { field: string; message: string }[] }): Record<string, string> {
  return Object.fromEntries((errors ?? []).map(({ field, message }) => [field, message]));
}
