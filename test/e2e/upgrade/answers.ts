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

/** Makes every GET again; what comes back stands in the same form. */
export function answersOf(url: string, asked: readonly Pick<Expected, 'path' | 'key'>[]): Promise<Expected[]> {
  const api = apiAt(url);
  return Promise.all(
    asked.map(async ({ path, key }) => {
      const { status, body } = await api.call('GET', path, { key });
      return { path, ...(key !== undefined && { key }), status, body };
    }),
  );
}
