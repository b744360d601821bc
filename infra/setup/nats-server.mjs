import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, SetupError } from './command.mjs';
import { putInPlace } from './staging.mjs';

/** Where Debian puts it, and where a user's PATH often does not lead. */
const SYSTEM_DIRS = ['/usr/sbin', '/usr/local/sbin'];

/** SHA-256 by file, as the project's own container images pin them (nats-io/nats-docker, 2.12.x/alpine3.22/Dockerfile). */
const RELEASE = 'v2.12.8';
const SHA256 = {
  'linux-x64': ['linux-amd64', '6abc397684567e133649688a13564ad6de786d64e88253fbb4f6a3aa8c2fca63'],
  'linux-arm64': ['linux-arm64', '7d20e93c23924cdd5cb6ec51c92f9478c97f9c8a0dbe049dd7ab88af115d622c'],
};
const DOWNLOAD_MS = 120_000;
const ADVICE =
  'Install nats-server 2.9 or later (brew install nats-server, or https://nats.io/download), or set NATS_URL.';

const DEBIAN = ["Debian's package", fromDebian];
const GITHUB = [`release ${RELEASE}`, fromRelease];

/** The directory with nats-server: one where it is installed, or one beside the project, where this puts it. */
export async function providedNats(root, say) {
  const place = join(root, '.runtime/nats-server');
  const dirs = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_DIRS, place];
  const found = dirs.find((dir) => isIn(dir, 'nats-server'));
  if (found) return found;
  const hasApt = dirs.some((dir) => isIn(dir, 'apt-get'));
  for (const [what, make] of [...(hasApt ? [DEBIAN] : []), GITHUB]) {
    try {
      say(`nats-server is not installed: putting ${what} beside the project`);
      await putInPlace(root, place, make);
      return place;
    } catch (error) {
      say(`that did not work: ${error.message}`);
    }
  }
  throw new SetupError(ADVICE);
}

function isIn(dir, command) {
  try {
    accessSync(join(dir, command), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Unpacked, not installed: that needs no rights, and starts no service on the well-known port. */
async function fromDebian(staging) {
  const fetchPackage = () => run('apt-get', ['download', 'nats-server'], { cwd: staging });
  await fetchPackage().catch(async () => {
    await run('apt-get', ['update']);
    await fetchPackage();
  });
  const file = readdirSync(staging).find((name) => name.endsWith('.deb'));
  await run('dpkg-deb', ['-x', file, 'unpacked'], { cwd: staging });
  return whenItRuns(join(staging, 'unpacked/usr/sbin'));
}

async function fromRelease(staging) {
  const [platform, sha256] = SHA256[`${process.platform}-${process.arch}`] ?? [];
  if (!platform) throw new SetupError(`there is none for ${process.platform} ${process.arch}`);
  const name = `nats-server-${RELEASE}-${platform}`;
  const archive = await download(`https://github.com/nats-io/nats-server/releases/download/${RELEASE}/${name}.tar.gz`);
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== sha256) throw new SetupError(`the SHA-256 of ${name}.tar.gz is ${actual}, not ${sha256}`);
  const file = join(staging, 'archive.tar.gz');
  writeFileSync(file, archive);
  const made = join(staging, 'unpacked');
  mkdirSync(made);
  await run('tar', ['-xzf', file, '-C', made, '--strip-components=1', `${name}/nats-server`]);
  return whenItRuns(made);
}

async function download(url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  } catch (error) {
    throw new SetupError(`cannot download ${url}: ${error.cause?.message ?? error.message}`);
  }
}

async function whenItRuns(dir) {
  await run(join(dir, 'nats-server'), ['--version']);
  return dir;
}
