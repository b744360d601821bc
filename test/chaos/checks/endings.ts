import type { History, Trouble } from '../history.ts';
import { type Violation, violation } from './violation.ts';

const ENDED = /^(\S+) (\S+) ended \((.*)\), starting it again$/;
const FORCED = /^(\S+) (\S+) did not stop in \d+ s: killing it$/;
/** How long what is told to stop may take for it, in ms. */
const STOP_MS = 20_000;
/** By how much later its end may be noticed, in ms: whoever starts it again may be stopped itself. */
const NOTICED_MS = 16_000;
/** How long something may take to start, in ms: until then it dies of the signal by which it is told to stop. */
const START_MS = 10_000;

/**
 * Nothing ends by itself, and what is told to stop ends with code 0 in 20 s, not counting the time in which it was stopped. A supervisor that was killed leaves the
 * directory to the next one only when its children are gone. nats-server has codes of its own.
 * @param said by whatever starts processes again, a line each
 */
export function checkEndings(said: readonly string[], { troubles }: Pick<History, 'troubles'>): Violation[] {
  const told = troubles.filter(({ ended }) => ended === 'told');
  const badly = said.filter((line) => isBad(line, troubles)).map((line) => violation('a process ended badly', line));
  const slow = told
    .filter((order) => isSlow(order, troubles))
    .map((order) => violation('does not stop in time', order));
  return [...badly, ...slow];
}

function isBad(line: string, troubles: readonly Trouble[]): boolean {
  const [, at = '', name, how] = ENDED.exec(line) ?? FORCED.exec(line) ?? [];
  if (name === undefined || name === 'nats-server' || how === 'by SIGKILL') return false;
  const atMs = Date.parse(at);
  const order = troubles.findLast(
    ({ part, ended, fromMs, toMs }) => part === name && ended === 'told' && fromMs <= atMs && atMs <= toMs + NOTICED_MS,
  );
  if (!order || how === undefined) return true;
  return how !== 'with code 0' && !(how === 'by SIGTERM' && wasStarting(order, troubles));
}

function wasStarting({ part, fromMs }: Trouble, troubles: readonly Trouble[]): boolean {
  return troubles.some(
    (trouble) =>
      [part, 'supervisor'].includes(trouble.part) &&
      trouble.ended !== undefined &&
      trouble.fromMs < fromMs &&
      trouble.toMs + START_MS >= fromMs,
  );
}

function isSlow(order: Trouble, troubles: readonly Trouble[]): boolean {
  const wasKilled = meanwhile(order, troubles).some(({ ended }) => ended === 'killed');
  return !wasKilled && order.toMs - order.fromMs - hinderedMs(order, troubles) > STOP_MS;
}

function hinderedMs(order: Trouble, troubles: readonly Trouble[]): number {
  return meanwhile(order, troubles)
    .filter(({ ended }) => ended === undefined)
    .reduce((sum, { fromMs, toMs }) => sum + Math.min(toMs, order.toMs) - Math.max(fromMs, order.fromMs), 0);
}

/** What else happened to it while it was stopping. */
function meanwhile(order: Trouble, troubles: readonly Trouble[]): Trouble[] {
  return troubles.filter(
    ({ part, fromMs, toMs }) =>
      [order.part, 'supervisor'].includes(part) && fromMs <= order.toMs && toMs >= order.fromMs,
  );
}
