import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../support/random.ts';
import type { ChaosStack } from './chaos-stack.ts';
import { FAULTS, type Fault } from './faults.ts';
import type { History } from './history.ts';

/** Time between the beginnings of two faults, in ms: often shorter than they last, so that they overlap. */
const [SHORTEST_GAP_MS, LONGEST_GAP_MS] = [800, 7_000] as const;
const FIRST_MS = 1_500;

interface Planned {
  readonly kind: string;
  readonly atMs: number;
  readonly fault: Fault;
}

/** Everything that is going to happen, decided before it begins: what the stack does cannot change it. */
function plan(seed: number, lastsMs: number, stack: ChaosStack, history: History): Planned[] {
  const random = createRandom(seed, 'nemesis');
  const weights = Object.fromEntries(Object.entries(FAULTS).map(([kind, { weight }]) => [kind, weight]));
  const planned: Planned[] = [];
  for (let atMs = FIRST_MS; atMs < lastsMs; atMs += random.between(SHORTEST_GAP_MS, LONGEST_GAP_MS)) {
    const kind = random.weighted(weights);
    const fault = FAULTS[kind]?.make(random, stack, history);
    if (fault) planned.push({ kind, atMs, fault });
  }
  return planned;
}

/** Lets everything happen that the seed holds, and resolves when all of it is over. @returns the kinds of what happened, in order */
export async function runNemesis(
  { seed, lastsMs, say }: { seed: number; lastsMs: number; say: (line: string) => void },
  stack: ChaosStack,
  history: History,
): Promise<string[]> {
  const beganMs = performance.now();
  const elapsed = () => `${((performance.now() - beganMs) / 1_000).toFixed(1).padStart(5)} s`;
  const happen = async ({ atMs, fault }: Planned) => {
    const { what, holdMs = 0 } = fault;
    await delay(Math.max(0, beganMs + atMs - performance.now()));
    const remark = fault.begin();
    say(`${elapsed()}  ${what}${holdMs > 0 ? ` for ${holdMs} ms` : ''}${remark ? ` (${remark})` : ''}`);
    if (!fault.end) return;
    await delay(holdMs);
    await fault.end();
    say(`${elapsed()}  over: ${what}`);
  };
  const planned = plan(seed, lastsMs, stack, history);
  await Promise.all(planned.map(happen));
  say(`${elapsed()}  no more faults`);
  return planned.map(({ kind }) => kind);
}
