import { type Violation, violation } from './violation.ts';

const ENDED = /^\S+ (\S+) ended \((.*)\), starting it again$/;

/**
 * Nothing ends by itself. The faults kill with SIGKILL, nats-server is also told to stop, and a supervisor that was killed leaves the directory to the next one
 * only when its children are gone.
 * @param said by whatever starts processes again, a line each
 */
export function checkEndings(said: readonly string[]): Violation[] {
  return said
    .flatMap((line) => {
      const [, name, how] = ENDED.exec(line) ?? [];
      return name !== undefined && how !== 'by SIGKILL' && name !== 'nats-server' ? [line] : [];
    })
    .map((line) => violation('a process ended by itself', line));
}
