import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Counts } from './support/counting-reporter.ts';

/**
 * Runs the targets of project.json and counts. `npm test -- unit e2e` runs these alone; other arguments go to mocha:
 * `npm test -- e2e --grep restart`.
 */
const CHECKS = ['lint', 'typecheck'];
const SUITES = ['unit', 'e2e'];
const QUIET_NX = { NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_TUI: 'false', NX_INTERACTIVE: 'false' };
const REPORTER = join(import.meta.dirname, 'support/counting-reporter.ts');

const home = mkdtempSync(join(tmpdir(), 'webhooks-run-'));
process.on('exit', () => rmSync(home, { recursive: true, force: true }));
let running: ChildProcess | undefined;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'disconnect']) process.once(name, stop);

const { targets, mochaArgs } = readArguments(process.argv.slice(2));
const total = { passed: 0, failed: 0, skipped: 0 };
for (const target of targets) {
  console.log(`\n=== ${target}`);
  const beganMs = performance.now();
  const counts = await runTarget(target);
  const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
  console.log(`=== ${target}: ${counts.failed === 0 ? 'passed' : 'FAILED'} in ${seconds} s`);
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key];
}
if (total.skipped > 0) console.log(`\n${total.skipped} skipped`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);

function readArguments(args: readonly string[]) {
  const all = [...CHECKS, ...SUITES];
  const named = all.filter((target) => args.includes(target));
  const mochaArgs = args.filter((arg) => !all.includes(arg));
  const meant = mochaArgs.length > 0 ? SUITES : all;
  return { targets: named.length > 0 ? named : meant, mochaArgs };
}

/** A target that ends badly without a failed test, or without having counted, counts as one failure. */
async function runTarget(target: string): Promise<Counts> {
  const countsFile = join(home, `${target}.json`);
  const isPassed = await nx(target, countsFile);
  const counts = CHECKS.includes(target) ? checked(isPassed) : readCounts(countsFile);
  return isPassed || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

function checked(isPassed: boolean): Counts {
  return { passed: Number(isPassed), failed: Number(!isPassed), skipped: 0 };
}

function readCounts(file: string): Counts {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function nx(target: string, countsFile: string): Promise<boolean> {
  const args = ['run', `webhooks:${target}`, '--outputStyle=stream-without-prefixes'];
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1', FORCE_COLOR: '0' };
  const env = { ...process.env, ...QUIET_NX, ...plain, MOCHA_OPTIONS: mochaOptions(countsFile) };
  running = spawn('nx', args, { env, stdio: 'inherit' });
  return new Promise((resolve, reject) => running?.once('error', reject).once('exit', (code) => resolve(code === 0)));
}

/** In the environment, since nx takes arguments apart on their way to mocha. */
function mochaOptions(countsFile: string): string {
  // A filter may leave files, and a suite, without tests; that nothing ran at all is seen in the total.
  const chosen = mochaArgs.length > 0 ? mochaArgs : ['--fail-zero'];
  const options = ['--reporter', REPORTER, '--reporter-option', `countsFile=${countsFile}`, ...chosen];
  return options.map((option) => JSON.stringify(option)).join(' ');
}

function stop(): void {
  running?.kill('SIGTERM');
  process.exit(1);
}
