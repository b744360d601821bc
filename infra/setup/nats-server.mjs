import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, SetupError } from './command.mjs';
import { fromRelease, RELEASE, whenItRuns } from './nats-release.mjs';
import { putInPlace } from './staging.mjs';

/** Where Debian puts it, and where a user's PATH often does not lead. */
const SYSTEM_DIRS = ['/usr/sbin', '/usr/local/sbin'];

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
