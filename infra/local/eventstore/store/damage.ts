import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DataDamaged } from '../../cannot-start.ts';

/** What was read is not what was written. Nothing of the file may be served any more. */
export class StoreDamaged extends Error {
  override readonly name = 'StoreDamaged';
}

/** https://sqlite.org/rescode.html: CORRUPT, NOTADB */
const DAMAGE_CODES: readonly unknown[] = [11, 26];

/** Whether an error says that the file itself is damaged; a full disk or a lock does not. */
export function isDamage(error: unknown): error is Error {
  const { errcode } = (error ?? {}) as { errcode?: number };
  return error instanceof StoreDamaged || (errcode !== undefined && DAMAGE_CODES.includes(errcode & 0xff));
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
