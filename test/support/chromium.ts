import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Context } from 'mocha';
import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Starts the Chromium of this machine; where there is none the test is skipped, and says so. */
export async function startChromium(test: Context): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    console.log(`      skipped: none of ${NAMES.join(', ')} is in PATH`);
    return test.skip();
  }
  // A sandbox of its own cannot be had by root, nor in most containers.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? '').split(':');
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
