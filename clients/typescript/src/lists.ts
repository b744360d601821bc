import type { Answered } from './http.ts';

/** A list that is read as far as it is looked at: `for await (const item of list)`, or by pages. */
export interface List<T> extends AsyncIterable<T> {
  pages(): AsyncIterable<T[]>;
}

type Query = Readonly<Record<string, unknown>>;

/** @param read a page; the next one is in its `Link` */
export function listOf<T>(read: (query: Query) => Promise<Answered<T[]>>, query: Query = {}): List<T> {
  async function* pages() {
    for (let next: Query | undefined = query; next; ) {
      const { value, headers } = await read(next);
      yield value;
      next = nextIn(headers.get('link'), next);
    }
  }
  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const page of pages()) yield* page;
    },
  };
}

/** Only its query is followed: the address that a server knows of itself need not be the one that it is reached by. */
function nextIn(link: string | null, query: Query): Query | undefined {
  const [, target] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '') ?? [];
  if (target === undefined) return undefined;
  return { ...query, ...Object.fromEntries(new URL(target, 'http://localhost').searchParams) };
}
