import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { type Browser, chromium } from 'playwright-core';

/** Names that it has in PATH; `CHROMIUM` names another place. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Starts the Chromium of this machine; where there is none the test is skipped, and says so. */
export async function startChromium(test: Context): Promise<Browser> {
  const browser = await launchChromium();
  if (browser) return browser;
  console.log(`      skipped: none of ${NAMES.join(', ')} is in PATH, and CHROMIUM names none`);
  return test.skip();
}

/** The same for what is no test: undefined where there is none. */
export async function launchChromium(): Promise<Browser | undefined> {
  const executablePath = findChromium();
  if (executablePath === undefined) return undefined;
  // A sandbox of its own cannot be had by root, nor in most containers.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

function findChromium(): string | undefined {
  const { PATH = '', CHROMIUM } = process.env;
  if (CHROMIUM) return CHROMIUM;
  const folders = PATH.split(':');
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
