import { DatabaseSync } from 'node:sqlite';

/** Whether a database holds the very tables that `create` makes in an empty one, others, or none. */
export function tablesIn(db: DatabaseSync, create: (db: DatabaseSync) => void): 'none' | 'todays' | 'others' {
  const found = tablesOf(db);
  if (found === '') return 'none';
  const fresh = new DatabaseSync(':memory:');
  create(fresh);
  const todays = tablesOf(fresh);
  fresh.close();
  return found === todays ? 'todays' : 'others';
}

function tablesOf(db: DatabaseSync): string {
  const made = db.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name').all();
  return made.map(({ sql }) => sql).join(';');
}
