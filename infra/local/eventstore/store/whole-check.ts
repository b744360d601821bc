import type { DatabaseSync } from 'node:sqlite';
import { StoreDamaged } from './damage.ts';
import { Log } from './log.ts';
import { StreamNames } from './names.ts';

/** How many events are read between two words about the progress. */
const SAY_EVENTS = 100_000;

/**
 * Looks at all there is: how the file hangs together, each event's checksum, and that none is missing.
 * @throws StoreDamaged, or SQLite's own error
 */
export function checkWhole(database: DatabaseSync, progress: (done: number, of: number) => void): void {
  checkEvents(database, progress);
  const found = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  if (found.quick_check !== 'ok') throw new StoreDamaged(found.quick_check.replaceAll(/\s+/g, ' '));
  for (const index of ['events_by_revision', 'events_by_id']) {
    const { inTable, inIndex } = database
      .prepare(
        `SELECT (SELECT count(*) FROM events NOT INDEXED) AS inTable, (SELECT count(*) FROM events INDEXED BY ${index}) AS inIndex`,
      )
      .get() as { inTable: number; inIndex: number };
    if (inTable !== inIndex) throw new StoreDamaged(`${index} holds ${inIndex} of ${inTable} events`);
  }
}

function checkEvents(database: DatabaseSync, progress: (done: number, of: number) => void): void {
  const log = new Log(database, new StreamNames(database));
  let said = 0;
  for (let after = 0; after < log.last; ) {
    after = log.allForward(after, log.last).at(-1)?.position ?? log.last;
    if (after - said < SAY_EVENTS && after < log.last) continue;
    progress(after, log.last);
    said = after;
  }
}
