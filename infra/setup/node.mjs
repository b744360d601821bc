import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, run } from './command.mjs';
import { putInPlace } from './staging.mjs';

/** What the project is tested with, and the oldest that it runs on. */
const VERSION = '24.21.0';

/** The Node to run the project with: this one, or where it is too old the official binary, put beside the project. */
export async function providedNode(root, say) {
  if (isEnough(process.versions.node)) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const place = join(root, '.runtime/node_modules', name);
  const binary = join(place, 'bin/node');
  if (versionIn(place) === VERSION) return binary;
  say(`putting Node ${VERSION} beside the project (this one is ${process.versions.node})`);
  await putInPlace(root, place, (staging) => download(name, staging));
  return binary;
}

export function isEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  const [neededMajor, neededMinor] = VERSION.split('.').map(Number);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

function versionIn(place) {
  try {
    return JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')).version;
  } catch {
    return undefined;
  }
}

async function download(name, staging) {
  const advice = `Install Node ${VERSION} or later and start again.`;
  const args = ['install', '--prefix', staging, '--ignore-scripts', '--no-save', '--no-audit', '--no-fund'];
  await npm([...args, `${name}@${VERSION}`], { cwd: staging, advice });
  const made = join(staging, 'node_modules', name);
  await run(join(made, 'bin/node'), ['--version'], { advice });
  return made;
}
