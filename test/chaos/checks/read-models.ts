import type { DatabaseSync } from 'node:sqlite';
import { DatabaseSync as Database } from 'node:sqlite';
import type { RecordedFact } from '../../../domain/facts.ts';
import { createReadModels, readModelWriter } from '../../../projections/read-models.ts';
import { type Violation, violation } from './violation.ts';

/** Differences that are shown of one table. */
const SHOWN = 5;

/** Read models = fold of the log: every row of every table is what the same facts make of an empty database. */
export function checkReadModels(db: DatabaseSync, facts: readonly RecordedFact[]): Violation[] {
  using scratch = new Database(':memory:');
  createReadModels(scratch);
  readModelWriter(scratch).apply(facts, facts.at(-1)?.position ?? -1);
  const tables = scratch.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  return tables.flatMap(({ name }) => checkTable(String(name), db, scratch));
}

function checkTable(name: string, db: DatabaseSync, scratch: DatabaseSync): Violation[] {
  const actual = rowsOf(db, name);
  const expected = rowsOf(scratch, name);
  const missing = [...expected]
    .filter((row) => !actual.has(row))
    .map((row) => violation(`row missing in ${name}`, row));
  const extra = [...actual].filter((row) => !expected.has(row)).map((row) => violation(`row too many in ${name}`, row));
  return [...missing.slice(0, SHOWN), ...extra.slice(0, SHOWN)];
}

/** The checkpoint may lie further than the last fact: there are events in the log that are none of ours. */
function rowsOf(db: DatabaseSync, table: string): Set<string> {
  if (table === 'checkpoint') return new Set();
  return new Set(
    db
      .prepare(`SELECT * FROM "${table}"`)
      .all()
      .map((row) => JSON.stringify(row)),
  );
}
