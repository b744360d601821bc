import type { Figures } from './figures.ts';

/** What a figure is to be at least or at most; of one with a spread, its median. */
type Target = { readonly atLeast: number } | { readonly atMost: number };

/** What is asked for on two cores that load generator and receiver share. */
const TARGETS: Readonly<Record<string, Target>> = {
  'accept_64 ratio': { atLeast: 0.5 },
  'deliver ratio': { atLeast: 0.3 },
  'deliver sustained_ratio': { atLeast: 0.3 },
  'deliver_at_50% p50_ms': { atMost: 8 },
  'deliver_at_50% p99_ms': { atMost: 40 },
  'deliver tree_idle_mib': { atMost: 350 },
  'deliver tree_loaded_mib': { atMost: 700 },
  'deliver tree_sustained_mib': { atMost: 700 },
  'fan_out_10000 last_ms': { atMost: 5_000 },
  'history_10000000 rebuild_facts_per_s': { atLeast: 50_000 },
  'history_10000000 replay_facts_per_s': { atLeast: 50_000 },
  'history_10000000 start_s': { atMost: 3 },
  'history_10000000 cpu_to_short_past_ratio': { atMost: 1.1 },
};

/** A line for each figure that something is asked of. */
export function verdicts(figures: Figures): string[] {
  return Object.entries(TARGETS).flatMap(([name, target]) => {
    const figure = figures[name];
    if (figure === undefined) return [];
    const value = typeof figure === 'number' ? figure : figure.median;
    const isMet = 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
    const asked = 'atLeast' in target ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
    return [`  ${isMet ? 'met   ' : 'MISSED'} ${name.padEnd(40)} ${Number(value.toPrecision(4))}, ${asked}`];
  });
}
