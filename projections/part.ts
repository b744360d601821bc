/** The most rows that are looked at for one part of a list: a filter that hardly anything passes must not walk a channel's whole past. */
export const LOOKED_AT = 500;
/** Once a part holds as many characters of JSON it is full. */
const FULL = 4 * 1_024 * 1_024;

/** A part of a list, and the id behind which the next one begins; undefined where there is nothing left. */
export interface ListPart<T> {
  readonly items: readonly T[];
  readonly next: number | undefined;
}

/** What a part of a list may hold beside `limit`: ids below `after`, from `from` on and below `below`. */
export interface Range {
  readonly after?: number | undefined;
  readonly from?: number | undefined;
  readonly below?: number | undefined;
  readonly limit: number;
}

/** The ids that a range takes in: from `from` on, below `below`. */
export function boundsOf({ after, from = 0, below }: Range): { readonly from: number; readonly below: number } {
  const highest = Number.MAX_SAFE_INTEGER;
  return { from, below: Math.min(after ?? highest, below ?? highest) };
}

/**
 * Looks ids up, one after the other, until the part is full or enough rows were looked at.
 * @param ids only those are taken from it that are looked up, and one more
 * @param find the row of an id; undefined where a filter does not let it pass
 */
export function partOf<R extends { readonly state: string }, T>(
  ids: Iterable<number>,
  limit: number,
  { find, show }: { readonly find: (id: number) => R | undefined; readonly show: (row: R) => T },
): ListPart<T> {
  const items: T[] = [];
  let [lookedAt, size, last] = [0, 0, 0];
  for (const id of ids) {
    if (items.length === limit || lookedAt === LOOKED_AT || size >= FULL) return { items, next: last };
    const row = find(id);
    if (row) items.push(show(row));
    size += row?.state.length ?? 0;
    lookedAt += 1;
    last = id;
  }
  return { items, next: undefined };
}
