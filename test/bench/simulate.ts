import type { Figures } from './figures.ts';
import type { BenchOptions } from './phase.ts';
import { calibrate } from './simulate/calibrate.ts';
import { capacityPerS, USUAL } from './simulate/capacity.ts';
import { maximalPerS } from './simulate/cells.ts';
import { bounds, costs as costFigures, loads, placements, scales } from './simulate/tables.ts';
import { sensitivity, validation } from './simulate/validation.ts';

/** What larger rates are divided into: where one of its nodes is lost there are still two. */
const NODES = 3;

const PLAN = {
  quick: { seeds: 2, maximalMs: 500, rateMs: 1_000, nodes: [1, 2, 4], channelsPerCell: 50 },
  full: { seeds: 5, maximalMs: 2_000, rateMs: 5_000, nodes: [1, 2, 4, 8, 16], channelsPerCell: 500 },
};

/**
 * The model of docs/scaling.md. Nothing is started: all is reckoned from what was measured (`simulate/measured.ts`). What bounds a cell, by the utilization law; its
 * rates and latencies, by a simulation that is held against the bench; how channels lie on many cells; and what it all takes. The same seed has the same figures.
 */
export async function simulate({ quick, seed = 1 }: BenchOptions): Promise<Figures> {
  const plan = quick ? PLAN.quick : PLAN.full;
  const seeds = Array.from({ length: plan.seeds }, (_, index) => seed + index);
  const costs = calibrate(seed);
  const figures: Record<string, Figures[string]> = { ...validation(costs, seed), ...sensitivity(seed) };
  Object.assign(figures, bounds());
  const most = (nodes: number, relayApart: boolean) =>
    maximalPerS({ costs, nodes, relayApart, seed, durationMs: plan.maximalMs });
  for (const nodes of plan.nodes) {
    console.log(`a cell of ${nodes}, as fast as it goes ...`);
    figures[`cell_of_${nodes} max_per_s`] = most(nodes, false);
    figures[`cell_of_${nodes} max_per_s relay apart`] = most(nodes, true);
  }
  console.log(`a cell of ${NODES} under load ...`);
  const maxPerS = Math.min(most(NODES, false), capacityPerS({ ...USUAL, nodes: NODES }));
  const run = { costs, nodes: NODES, durationMs: plan.rateMs };
  Object.assign(figures, loads(run, maxPerS, seeds), scales(NODES, maxPerS), costFigures(NODES, maxPerS));
  console.log('channels on cells ...');
  return { ...figures, ...placements(seeds, plan.channelsPerCell) };
}
