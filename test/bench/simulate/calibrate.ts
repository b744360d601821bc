import { simulateCell } from './cell/cell.ts';
import type { CellSetting, Costs } from './cell/setting.ts';
import { MEASURED, PROCESSES, type ProcessName } from './measured.ts';

const STEPS = 12;
/** By how much of what would be right a step goes. */
const STEP = 0.7;
/** What is left of an event's cost beside turns, at the least, as a share of it under full load. */
const LEAST = 0.1;

/** The machine on which all was measured, and how `deliver` loads it. */
export const BENCH = {
  ...{
    machines: { kind: 'one' as const, cores: 2 },
    nodes: 1,
    relayApart: false,
    channels: 4,
    webhooksEach: 1,
    exponent: 0,
  },
  ...{ failing: 0, hanging: 0, answerMs: 0 },
} as const;

const FULL = { ...BENCH, load: { kind: 'closed', width: 64 }, durationMs: 600 } as const;
const LIGHT = {
  ...{ ...BENCH, channels: 1_000, durationMs: 1_500 },
  load: { kind: 'steady', perS: MEASURED.lightLoadPerS },
} as const;

/**
 * Divides what an event was measured to cost, under full and under light load, into what a turn costs and what an event costs beside: such that the simulation of both
 * loads uses the CPU that was measured. Latencies and rates have no part in it.
 */
export function calibrate(
  seed: number,
  lightLoadMs: Readonly<Record<ProcessName, number>> = MEASURED.lightLoadMs,
): Costs {
  const { fullLoadMs } = MEASURED;
  let costs: Costs = { turnMs: each((name) => lightLoadMs[name] / 4), eventMs: fullLoadMs };
  for (let step = 0; step < STEPS; step++) {
    const full = simulateCell({ ...FULL, costs, seed } as CellSetting).usage;
    const light = simulateCell({ ...LIGHT, costs, seed } as CellSetting).usage;
    const before = costs;
    const turnMs = each((name) => {
      const apart = Math.max(0.1, light[name].turns - full[name].turns);
      const wanted = (lightLoadMs[name] - fullLoadMs[name]) / apart;
      return before.turnMs[name] + STEP * (wanted - before.turnMs[name]);
    });
    const eventMs = each((name) => {
      const wanted = fullLoadMs[name] - turnMs[name] * full[name].turns;
      const next = before.eventMs[name] + STEP * (wanted - before.eventMs[name]);
      return Math.max(LEAST * fullLoadMs[name], next);
    });
    costs = { turnMs, eventMs };
  }
  return costs;
}

export const each = (of: (name: ProcessName) => number): Record<ProcessName, number> =>
  Object.fromEntries(PROCESSES.map((name) => [name, of(name)])) as Record<ProcessName, number>;
