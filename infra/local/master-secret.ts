import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CannotStart } from './cannot-start.ts';

/** 32 bytes in hex. */
const WELL_FORMED = /^[0-9a-f]{64}$/;

/**
 * The secret of this data directory, made at the first call. Without it no key that was ever given out works again, so it
 * is on disk before it is used. The caller holds the directory.
 * @throws CannotStart where the file is not as we wrote it
 */
export function masterSecret(dataDir: string): string {
  const file = join(dataDir, 'master_secret');
  const secret = readIfThere(file)?.trimEnd() ?? writeNew(dataDir, file);
  if (WELL_FORMED.test(secret)) return secret;
  throw new CannotStart(`${file} is damaged (64 hex digits are expected): bring it back, or set MASTER_SECRET`);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CannotStart(`cannot read the master secret: ${(error as Error).message}`);
  }
}

function writeNew(dataDir: string, file: string): string {
  const secret = randomBytes(32).toString('hex');
  const draft = `${file}.draft`;
  try {
    rmSync(draft, { force: true });
    withFile(draft, 'wx', (fd) => writeSync(fd, `${secret}\n`));
    renameSync(draft, file);
    withFile(dataDir, 'r', () => {});
  } catch (error) {
    throw new CannotStart(`cannot keep a master secret: ${(error as Error).message}`);
  }
  return secret;
}

function withFile(path: string, flags: string, use: (fd: number) => void): void {
  const fd = openSync(path, flags, 0o600);
  try {
    use(fd);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
