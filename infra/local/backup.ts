import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { readSettings } from '../settings.ts';
import { finishBackup } from './backup/backup-file.ts';
import { percentSayer, runCommand } from './backup/command.ts';
import { copyFile, syncDirectory } from './backup/copy-file.ts';
import { withHeldStore } from './backup/held-store.ts';
import { CannotStart } from './cannot-start.ts';
import type { HeldFile } from './eventstore/rpc/hold-file.ts';
import { readMasterSecret } from './master-secret.ts';

const WITHOUT_SECRET =
  'it does NOT hold MASTER_SECRET or MASTER_SECRETS, which the environment sets: without them no key works after a restore';

await runCommand('npm run backup -- FILE', async (argument) => {
  const file = resolve(argument);
  const settings = readSettings(process.env);
  refuseExisting(file);
  const draft = `${file}.draft-${process.pid}`;
  try {
    const held = await copyStore(settings.dataDir, settings.eventstoreUrl, draft);
    const secret = settings.masterSecret === undefined ? readMasterSecret(settings.dataDir) : null;
    const note = { made_at: new Date().toISOString(), master_secret: secret };
    finishBackup(draft, note, percentSayer('checked'));
    refuseExisting(file);
    await rename(draft, file);
    await syncDirectory(dirname(file));
    console.log(`${file} holds all that was acknowledged before ${held.beganAt}: ${held.position} events`);
    if (secret !== null) console.log('it holds the master secret too: keep it as you would keep a key');
    if (secret === null || settings.masterSecrets) console.log(WITHOUT_SECRET);
  } finally {
    for (const suffix of ['', '-journal', '-wal', '-shm']) await rm(draft + suffix, { force: true });
  }
});

function refuseExisting(file: string): void {
  if (existsSync(file)) throw new CannotStart(`${file} exists already: a backup overwrites nothing`);
}

async function copyStore(dataDir: string, eventstoreUrl: string | undefined, draft: string) {
  const beganAt = new Date().toISOString();
  let position = 0;
  await withHeldStore(resolve(dataDir), eventstoreUrl, async (held: HeldFile) => {
    const say = percentSayer('copied');
    await copyFile(held.file, draft, held.bytes, (copied) => say(copied, held.bytes));
    ({ position } = held);
  });
  return { beganAt, position };
}
