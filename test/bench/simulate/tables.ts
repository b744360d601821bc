import { createRandom } from '../../support/random.ts';
import { type Figures, percentile, spread } from '../figures.ts';
import { ASSUMED, PRICES } from './assumed.ts';
import { boundPerS, capacityPerS, type Layout, resources, totalMs, USUAL } from './capacity.ts';
import { atRate, type Run } from './cells.ts';
import { coresOf, costOfMillion } from './cost.ts';
import { type Placement, type Policy, place } from './placement.ts';

/** By layout, the numbers of nodes whose bounds are told. */
const NODES: Readonly<Record<Layout, readonly number[]>> = {
  one: [1, 2, 4],
  start: [1, 2, 3, 4, 8, 16, 32],
  four: [2, 3, 4, 8],
};
/** How many of the bounds are told. */
const FIRST = 3;
/** Shares of what a cell can carry at which its latencies are told. */
const SHARES = [0.1, 0.3, 0.5, 0.7, 0.9];
/** What differs: some webhooks are ill; nodes have more cores. */
const CASES: Readonly<Record<string, Partial<Run>>> = {
  well: {},
  ill: { failing: 0.02, hanging: 0.01 },
  cores_4: { nodeCores: 4 },
};
/** Rates by multiples of a hundred events a second. */
const SCALES = [10, 100, 10_000];
const ONE_SCALE_PER_S = 100;
/** How channels are placed: on how many cells, how uneven they are, and by what. */
const PLACED: readonly (readonly [cells: number, exponent: number, policy: Policy])[] = [
  ...[10, 100, 10_000].flatMap((cells) => [[cells, 1, 'hash'] as const, [cells, 1, 'two_choices'] as const]),
  ...[0.8, 1.2].map((exponent) => [100, exponent, 'hash'] as const),
];
const SECONDS_OF_DAY = 86_400;
/** What sums of fractions may be off by: it must not make a cell more. */
const ROUNDING = 1e-9;

/** What a cell lets through, events/s, by what is used up first, second and third. */
export function bounds(): Figures {
  const figures: Record<string, number> = {};
  for (const [layout, counts] of Object.entries(NODES)) {
    for (const nodes of counts) {
      const all = resources({ ...USUAL, nodes, layout: layout as Layout });
      for (const resource of all.slice(0, FIRST)) {
        figures[`bound_${layout}_${nodes} ${resource.name}`] = boundPerS(resource);
      }
    }
  }
  return figures;
}

/** Latencies of a cell from tenths of what it can carry to most of it, with some webhooks ill, and with more cores; medians over the seeds. */
export function loads(run: Omit<Run, 'seed'>, maxPerS: number, seeds: readonly number[]): Figures {
  const figures: Record<string, Figures[string]> = {};
  for (const [name, changes] of Object.entries(CASES)) {
    for (const share of SHARES) {
      const outcomes = seeds.map((seed) => atRate({ ...run, ...changes, seed }, share * maxPerS));
      const of = (rank: number) => spread(outcomes.map(({ latenciesMs }) => percentile(latenciesMs, rank)));
      const at = `${name}_at_${share * 100}%`;
      figures[`${at} per_s`] = share * maxPerS;
      figures[`${at} p50_ms`] = of(0.5);
      figures[`${at} p99_ms`] = of(0.99);
      figures[`${at} went_back_per_event`] = spread(outcomes.map(({ returns, published }) => returns / published));
    }
  }
  return figures;
}

/** How many cells larger rates take, each given what `utilization` says of what it can carry. */
export function scales(nodes: number, maxPerS: number): Figures {
  const carriesPerS = maxPerS * ASSUMED.utilization;
  const figures: Record<string, number> = { 'cell max_per_s': maxPerS, 'cell carries_per_s': carriesPerS };
  for (const scale of SCALES) {
    const perS = scale * ONE_SCALE_PER_S;
    const cells = Math.ceil(perS / carriesPerS - ROUNDING);
    figures[`scale_${scale}x per_s`] = perS;
    figures[`scale_${scale}x cells`] = cells;
    figures[`scale_${scale}x nodes`] = cells * nodes;
    figures[`scale_${scale}x cores`] = cells * coresOf({ ...USUAL, nodes });
    figures[`scale_${scale}x cores_in_use`] = (perS / 1_000) * totalMs({ ...USUAL, nodes });
    figures[`scale_${scale}x million_facts_a_day`] = (2 * perS * SECONDS_OF_DAY) / 1_000_000;
  }
  return figures;
}

/** What a million deliveries take: in the usual cell; in a larger one; to ten webhooks an event; and where a twentieth of the POSTs are made again. */
export function costs(nodes: number, maxPerS: number): Figures {
  const usual = { ...USUAL, nodes };
  const shapes = {
    usual,
    nodes_16: { ...usual, nodes: 16 },
    fan_out_10: { ...usual, fanOut: 10 },
    attempts_1_05: { ...usual, attempts: 1.05 },
  };
  const figures: Record<string, number> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const carriesPerS = Math.min(maxPerS, capacityPerS(shape)) * ASSUMED.utilization;
    const cost = costOfMillion(shape, PRICES, carriesPerS);
    for (const [what, figure] of Object.entries(cost)) figures[`million_${name} ${what}`] = figure;
  }
  return figures;
}

/** How evenly channels lie on cells, medians over the seeds. */
export function placements(seeds: readonly number[], channelsPerCell: number): Figures {
  const figures: Record<string, Figures[string]> = {};
  const room = 1 / ASSUMED.utilization;
  for (const [cells, exponent, policy] of PLACED) {
    const placed = seeds.map((seed) =>
      place({ cells, channelsPerCell, exponent, policy, room, random: createRandom(seed, cells, policy, exponent) }),
    );
    for (const name of Object.keys(placed[0] ?? {}) as (keyof Placement)[]) {
      figures[`place_${cells}_zipf_${exponent}_${policy} ${name}`] = spread(placed.map((each) => each[name]));
    }
  }
  return figures;
}
