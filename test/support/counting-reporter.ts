import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Prints as mocha does, and at the end writes the counts to the file that `--reporter-option countsFile=` names. */
export default class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once('end', () => {
      const { passes: passed, failures: failed, pending: skipped } = this.stats;
      writeFileSync(options.reporterOptions.countsFile, JSON.stringify({ passed, failed, skipped } satisfies Counts));
    });
  }
}
