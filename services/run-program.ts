import type { Command } from 'commander';

/** The exit code where what was asked for could not be done. */
const IN_VAIN = 2;

/** Runs a command line. @param mendable what its user can mend, in one line; undefined for what is our own fault */
export async function runProgram(program: Command, mendable: (error: unknown) => string | undefined): Promise<void> {
  overrideExits(program);
  try {
    await program.parseAsync();
  } catch (error) {
    const { exitCode, code } = error as { exitCode?: number; code?: string };
    const isUsage = code?.startsWith('commander.') === true;
    if (!isUsage) console.error(mendable(error) ?? error);
    process.exitCode = isUsage && exitCode === 0 ? 0 : IN_VAIN;
  }
}

/** Those that were added to it as they are do not take it from their parent. */
function overrideExits(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) overrideExits(inner);
}
