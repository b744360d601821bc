import type { DatabaseSync } from 'node:sqlite';

interface Bounds {
  readonly from: number;
  readonly below: number;
}

type Ids = (owner: number, bounds: Bounds, ...more: readonly string[]) => Iterable<number>;

/** The ids that a query finds, taken from it one by one. @param sql its parameters: ?1 the owner, ?2 `from`, ?3 `below`, then `more` */
export function idsOf(db: DatabaseSync, sql: string): Ids {
  const statement = db.prepare(sql);
  return function* (owner, { from, below }, ...more) {
    for (const row of statement.iterate(owner, from, below, ...more)) yield (row as { id: number }).id;
  };
}

/** The same of a query for the highest id alone, asked anew below each: an id that an index has thousands of times is looked up once. */
export function idsBelow(db: DatabaseSync, sql: string): Ids {
  const statement = db.prepare(sql);
  return function* (owner, { from, below }, ...more) {
    let highest = below;
    for (;;) {
      const { id } = statement.get(owner, from, highest, ...more) as { id: number | null };
      if (id === null) return;
      yield id;
      highest = id;
    }
  };
}
