import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readSettings } from '../settings.ts';
import { percentSayer, runCommand } from './backup/command.ts';
import { CannotStart } from './cannot-start.ts';
import { damaged, forgetNote, isDamage } from './eventstore/store/damage.ts';
import { fileIn, openDatabase } from './eventstore/store/database.ts';
import { checkWhole } from './eventstore/store/whole-check.ts';

await runCommand('npm run check-store', async () => {
  const dir = join(resolve(readSettings(process.env).dataDir), 'eventstore');
  const file = fileIn(dir);
  if (!existsSync(file)) throw new CannotStart(`there is no ${file}`);
  const { database } = openDatabase(dir, { despiteNote: true });
  try {
    checkWhole(database, percentSayer('checked'));
  } catch (error) {
    throw isDamage(error) ? damaged(file, error.message) : error;
  } finally {
    database.close();
  }
  forgetNote(file);
  console.log(`${file} is whole`);
});
