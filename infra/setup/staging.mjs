import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PREFIX = 'staging-';

/**
 * Makes something in a directory of its own and then puts it in its place in one step: what is in place is always whole,
 * whether a set-up was killed or two run at once.
 * @param make gets the directory, returns the path in it of what is to be put in `place`
 */
export async function putInPlace(root, place, make) {
  const runtime = join(root, '.runtime');
  mkdirSync(runtime, { recursive: true });
  removeAbandoned(runtime);
  const staging = mkdtempSync(join(runtime, `${PREFIX}${process.pid}-`));
  try {
    swap(await make(staging), place, join(staging, 'old'));
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Where another set-up puts the same thing in place at the same moment, either will do. */
function swap(made, place, old) {
  mkdirSync(dirname(place), { recursive: true });
  renameUnless(['ENOENT'], place, old);
  renameUnless(['ENOTEMPTY', 'EEXIST'], made, place);
}

function renameUnless(codes, from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!codes.includes(error.code)) throw error;
  }
}

/** Set-ups that were killed could not tidy up. */
function removeAbandoned(runtime) {
  for (const name of readdirSync(runtime).filter((name) => name.startsWith(PREFIX))) {
    const [pid] = name.slice(PREFIX.length).split('-');
    if (!isAlive(Number(pid))) rmSync(join(runtime, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch ({ code }) {
    return code === 'EPERM';
  }
}
