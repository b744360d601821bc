import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CannotStart } from './cannot-start.ts';

/** 32 bytes in hex. */
const WELL_FORMED = /^[0-9a-f]{64}$/;

const fileIn = (dataDir: string) => join(dataDir, 'master_secret');

/**
 * The secret of this data directory, made at the first call. Without it no key that was ever given out works again, so it
 * is on disk before it is used. The caller holds the directory.
 * @throws CannotStart where the file is not as we wrote it
 */
export function masterSecret(dataDir: string): string {
  return readMasterSecret(dataDir) ?? keepMasterSecret(dataDir, randomBytes(32).toString('hex'));
}

/** Null where there is none yet. @throws CannotStart where the file is not as we wrote it */
export function readMasterSecret(dataDir: string): string | null {
  const file = fileIn(dataDir);
  const secret = readIfThere(file)?.trimEnd();
  if (secret === undefined) return null;
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

/** Keeps a secret where there is none yet; it is on disk when this returns. @throws CannotStart */
export function keepMasterSecret(dataDir: string, secret: string): string {
  const file = fileIn(dataDir);
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
