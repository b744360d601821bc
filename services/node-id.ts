import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What tells the node that has this directory from all others; made at the first call. */
export function nodeIn(dataDir: string): string {
  const file = join(dataDir, 'node_id');
  if (!existsSync(file)) make(file);
  return readFileSync(file, 'utf8').trim();
}

/** Whole, and never in the place of another: several services of a node may start at once. */
function make(file: string) {
  const draft = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(draft, `${randomUUID()}\n`);
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
