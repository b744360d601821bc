import { CannotStart } from '../cannot-start.ts';
import { damaged, isDamage } from '../eventstore/store/damage.ts';

/**
 * Runs a command of the command line: what its user can mend ends it with one line and code 1.
 * @param usage is said where there are more or fewer arguments than it names in capitals
 */
export async function runCommand(usage: string, run: (argument: string) => Promise<void>): Promise<void> {
  const [argument = '', ...more] = process.argv.slice(2);
  const takesOne = /[A-Z]/.test(usage);
  try {
    if (takesOne !== (argument !== '') || more.length > 0) throw new CannotStart(`usage: ${usage}`);
    await run(argument);
  } catch (error) {
    console.error(lineOf(error, argument));
    process.exitCode = 1;
  }
}

function lineOf(error: unknown, file: string): unknown {
  if (error instanceof CannotStart) return error.message;
  if (isDamage(error)) return damaged(file, error.message).message;
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? error : message;
}

/** Says how far something is, every tenth of it. */
export function percentSayer(what: string): (done: number, of: number) => void {
  let said = 0;
  return (done, of) => {
    const tenths = Math.floor((10 * done) / of);
    if (tenths <= said) return;
    said = tenths;
    console.log(`${what}: ${tenths * 10} %`);
  };
}
