import { readdirSync, renameSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readSettings } from '../settings.ts';
import { unpackBackup } from './backup/backup-file.ts';
import { percentSayer, runCommand } from './backup/command.ts';
import { copyFile, syncDirectory } from './backup/copy-file.ts';
import { CannotStart } from './cannot-start.ts';
import { holdDataDir } from './data-dir.ts';
import { keepMasterSecret } from './master-secret.ts';

/** What may lie in a directory that counts as empty: the lock that is held while we look, and what an interrupted restore has left. */
const NO_DATA = /^(lock\.db.*|restoring)$/;

await runCommand('npm run restore -- FILE', async (argument) => {
  const file = resolve(argument);
  const dataDir = resolve(readSettings(process.env).dataDir);
  const { size } = await stat(file);
  const hold = await holdDataDir(dataDir, console.log);
  try {
    refuseData(dataDir);
    await restore(file, size, dataDir);
  } finally {
    hold.release();
  }
});

async function restore(file: string, bytes: number, dataDir: string): Promise<void> {
  const draft = join(dataDir, 'restoring');
  const store = join(draft, 'eventstore');
  await rm(draft, { recursive: true, force: true });
  await mkdir(store, { recursive: true, mode: 0o700 });
  const say = percentSayer('copied');
  const database = join(store, 'eventstore.db');
  await copyFile(file, database, bytes, (copied) => say(copied, bytes));
  const { made_at, master_secret } = unpackBackup(database, percentSayer('checked'));
  if (master_secret !== null) keepMasterSecret(dataDir, master_secret);
  renameSync(store, join(dataDir, 'eventstore'));
  await rm(draft, { recursive: true });
  await syncDirectory(dataDir);
  console.log(`${dataDir} holds the backup of ${made_at}; npm start goes on from there`);
  if (master_secret === null) console.log('the backup holds no master secret: set MASTER_SECRET to what it was');
}

function refuseData(dataDir: string): void {
  const data = readdirSync(dataDir).filter((name) => !NO_DATA.test(name));
  if (data.length === 0) return;
  throw new CannotStart(`DATA_DIR ${dataDir} is not empty (${data[0]}): name one that is, nothing is overwritten`);
}
