import { DatabaseSync } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';

/** A row that is not what the log makes of it. */
export interface Difference {
  readonly table: string;
  /** The columns that name it. */
  readonly key: Readonly<Record<string, unknown>>;
  /** What is in the live file; undefined where the row is missing there. */
  readonly is: Row | undefined;
  /** What should be; undefined where there should be no such row. */
  readonly shouldBe: Row | undefined;
}

type Row = Readonly<Record<string, unknown>>;

interface Column {
  readonly name: string;
  readonly pk: number;
}

export type Comparison = ReturnType<typeof compareFiles>;

/**
 * A live file beside the one that is made anew of the log. `pin` holds on to what the live one is now, however it moves on.
 * @param positionOf the table that holds the live file's place in the log
 */
export function compareFiles(live: string, scratch: string, positionOf: string) {
  const db = new DatabaseSync(live, { readOnly: true, timeout: 5_000 });
  db.prepare('ATTACH ? AS scratch').run(scratch);

  const position = () => (db.prepare(`SELECT position FROM main.${positionOf}`).get() as { position: number }).position;

  return {
    /** Place in the log of the live file. */
    position,
    /** Holds on to the live file as it is now, and tells its place in the log. */
    pin(): number {
      if (!db.isTransaction) db.exec('BEGIN');
      return position();
    },
    /** Every row that differs, a table after the other. The scratch file must have reached the pinned position. */
    *differences(): Generator<Difference> {
      const tables = db.prepare("SELECT name FROM scratch.sqlite_schema WHERE type = 'table' ORDER BY name").all();
      for (const { name } of tables) yield* tableDifferences(db, String(name));
    },
    close(): void {
      if (db.isOpen) db.close();
    },
  };
}

function* tableDifferences(db: DatabaseSync, table: string): Generator<Difference> {
  const columns = db
    .prepare('SELECT name, pk FROM pragma_table_info(?, ?)')
    .all(table, 'scratch') as unknown as Column[];
  const names = columns.map(({ name }) => name);
  const keys = columns.filter(({ pk }) => pk > 0).map(({ name }) => name);
  const all = (of: readonly string[], test: (name: string) => string) => of.map(test).join(' AND ');
  const sameKey = all(keys, (name) => `live.${name} = anew.${name}`);
  const same = all(names, (name) => `live.${name} IS anew.${name}`);
  const [live, anew] = [`main.${table} AS live`, `scratch.${table} AS anew`];
  const keyOf = (row: Row) => Object.fromEntries(keys.map((name) => [name, row[name]]));

  const liveRow = db.prepare(`SELECT * FROM ${live} WHERE ${all(keys, (name) => `${name} = ?`)}`);
  const changed = db.prepare(`SELECT anew.* FROM ${anew} LEFT JOIN ${live} ON ${sameKey} WHERE NOT (${same})`);
  for (const row of changed.iterate() as Iterable<Row>) {
    const is = liveRow.get(...(keys.map((name) => row[name]) as number[])) as Row | undefined;
    yield { table, key: keyOf(row), is, shouldBe: row };
  }
  const extra = db.prepare(`SELECT * FROM ${live} WHERE NOT EXISTS (SELECT 1 FROM ${anew} WHERE ${sameKey})`);
  for (const row of extra.iterate() as Iterable<Row>) yield { table, key: keyOf(row), is: row, shouldBe: undefined };
}

/** A difference in words, a line for each column that differs. */
export function inWords({ table, key, is, shouldBe }: Difference): string {
  const row = `${table} ${Object.entries(key)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}`;
  if (!is) return `${row}: missing; should be ${JSON.stringify(shouldBe, asText)}`;
  if (!shouldBe) return `${row}: there should be no such row, but there is ${JSON.stringify(is, asText)}`;
  const columns = Object.keys(shouldBe).filter((name) => !isDeepStrictEqual(is[name], shouldBe[name]));
  const words = (of: Row, name: string) => JSON.stringify(of[name], asText);
  return columns.map((name) => `${row}: ${name} is ${words(is, name)}, should be ${words(shouldBe, name)}`).join('\n');
}

/** Of bytes as many as a hash has are shown. */
const SHOWN_BYTES = 32;

function asText(_: string, value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  const shown = Buffer.from(value.subarray(0, SHOWN_BYTES)).toString('hex');
  return value.length > SHOWN_BYTES ? `${shown}… (${value.length} bytes)` : shown;
}
