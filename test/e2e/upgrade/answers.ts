import { apiAt } from '../../support/api.ts';

/** A GET, whose key it is made with, and what came back. */
export interface Expected {
  readonly path: string;
  readonly key?: string;
  readonly status: number;
  readonly body: unknown;
}

export interface Fixture {
  readonly commit: string;
  readonly adminKey: string;
  readonly channel: { readonly id: number; readonly publisher_key: string };
  /** The webhook that has a delivery pending, and the event it is of. */
  readonly pending: { readonly webhookId: number; readonly eventId: number };
  readonly answers: readonly Expected[];
}

type Asked = Pick<Expected, 'path' | 'key'> & Partial<Pick<Expected, 'body'>>;

/** Makes every GET again; what comes back stands in the same form, without fields that answers have only got since. */
export function answersOf(url: string, asked: readonly Asked[]): Promise<Expected[]> {
  const api = apiAt(url);
  return Promise.all(
    asked.map(async ({ path, key, body: then }) => {
      const { status, body } = await api.call('GET', path, { key });
      return { path, ...(key !== undefined && { key }), status, body: withoutNewer(body, then) };
    }),
  );
}

function withoutNewer(now: unknown, then: unknown): unknown {
  if (Array.isArray(now) && Array.isArray(then)) return now.map((item, index) => withoutNewer(item, then[index]));
  if (!isObject(now) || !isObject(then)) return now;
  const known = Object.entries(now).filter(([name]) => name in then);
  return Object.fromEntries(known.map(([name, value]) => [name, withoutNewer(value, then[name])]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
