import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newDataDir } from '../../support/stack.ts';
import type { Fixture } from './answers.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

export function fixtureNames(): string[] {
  return readdirSync(FIXTURES).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : []));
}

/** A copy of a fixture's data directory, and what is expected of it. */
export function unpack(name: string): { fixture: Fixture; dataDir: string } {
  const dataDir = newDataDir();
  execFileSync('tar', ['-xzf', join(FIXTURES, `${name}.tar.gz`), '-C', dataDir]);
  return { dataDir, fixture: JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8')) };
}
