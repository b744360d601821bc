import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, SetupError } from './command.mjs';
import { putInPlace } from './staging.mjs';

const STAMP = '.locked-by';

/** Installs what package-lock.json locks, unless exactly that is installed. */
export async function installDependencies(root, say) {
  if (areInstalled(root)) return;
  say('installing dependencies, for half a minute or more');
  await putInPlace(root, join(root, 'node_modules'), (staging) => install(root, staging));
  say('dependencies are installed');
}

export function areInstalled(root) {
  const stamp = join(root, 'node_modules', STAMP);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash(root);
}

/** Changes with the lock and the machine's kind: some packages hold binaries. */
export function lockHash(root) {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return createHash('sha256').update(`${process.platform} ${process.arch}\n`).update(lock).digest('hex');
}

/** Not `npm ci`: that refuses a lock that leaves out binaries for other systems which the registry did not have. */
async function install(root, staging) {
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
    if (existsSync(join(root, file))) copyFileSync(join(root, file), join(staging, file));
  }
  await npm(['install', '--ignore-scripts', '--no-save', '--include=dev', '--no-audit', '--no-fund'], {
    cwd: staging,
    advice: 'Check the connection to the npm registry and start again.',
  });
  const made = join(staging, 'node_modules');
  checkLocked(packagesIn(join(staging, 'package-lock.json')), packagesIn(join(made, '.package-lock.json')));
  writeFileSync(join(made, STAMP), lockHash(staging));
  return made;
}

const packagesIn = (lock) => JSON.parse(readFileSync(lock, 'utf8')).packages;

/** @throws SetupError where something is not as it is locked; a binary for this system may be missing there (see above) */
export function checkLocked(locked, installed) {
  for (const [path, { version, optional }] of Object.entries(installed)) {
    if (locked[path] ? locked[path].version === version : optional) continue;
    throw new SetupError(`package-lock.json does not lock ${path} ${version}: run \`npm install\` and commit the lock`);
  }
}
