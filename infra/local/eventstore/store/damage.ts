import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isDamagedFile } from '../../../sqlite.ts';
import { DataDamaged } from '../../cannot-start.ts';

/** What was read is not what was written. Nothing of the file may be served any more. */
export class StoreDamaged extends Error {
  override readonly name = 'StoreDamaged';
}

/** Whether an error says that the file itself is damaged. */
export function isDamage(error: unknown): error is Error {
  return error instanceof StoreDamaged || isDamagedFile(error);
}

/** What whoever runs it has to know, in one line. */
export function damaged(file: string, reason: string): DataDamaged {
  return new DataDamaged(
    `${file} is damaged (${reason}): restore a backup into an empty DATA_DIR with npm run restore; see docs/operations.md`,
  );
}

const noteOf = (file: string) => `${file}.damaged`;

/** Notes damage beside the file: it may lie where the next start does not look. */
export function noteDamage(file: string, reason: string): void {
  try {
    writeFileSync(noteOf(file), `${reason}\n`);
  } catch {
    // A disk that takes no note: it is said all the same.
  }
}

/** @throws DataDamaged where damage has been noted */
export function refuseNoted(file: string): void {
  if (existsSync(noteOf(file))) throw damaged(file, readFileSync(noteOf(file), 'utf8').trim());
}

export function forgetNote(file: string): void {
  rmSync(noteOf(file), { force: true });
}
