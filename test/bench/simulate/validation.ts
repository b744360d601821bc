import { type Figures, percentile } from '../figures.ts';
import { BENCH, calibrate, each } from './calibrate.ts';
import { type Outcome, simulateCell } from './cell/cell.ts';
import type { CellSetting, Costs } from './cell/setting.ts';
import { MEASURED, VALIDATION } from './measured.ts';

/** What `deliver --quick` and `accept --quick` do: for how long they publish, in ms, and over how many connections. */
const CLOSED = { load: { kind: 'closed', width: 64 }, durationMs: 4_000 } as const;
const STEADY_MS = 8_000;
const NO_WEBHOOKS = { ...CLOSED, channels: 1, webhooksEach: 0, durationMs: 1_500 } as const;
/** By how much what an event costs under light load is changed, to see what hangs on it. */
const CHANGES = [0.75, 1.25];

type Changes = Partial<CellSetting> & Pick<CellSetting, 'load' | 'durationMs'>;

const onBench = (costs: Costs, seed: number, changes: Changes): Outcome =>
  simulateCell({ ...BENCH, costs, seed, ...changes });

/** The simulation of the machine on which all was measured, beside what was measured there: simulated by measured, less 1. */
export function validation(costs: Costs, seed: number): Figures {
  console.log('the machine of the bench, as it was measured ...');
  const figures: Record<string, number> = {};
  const beside = (name: string, simulated: number, measured: number) => {
    figures[`${name} simulated`] = simulated;
    figures[`${name} measured`] = measured;
    figures[`${name} off`] = simulated / measured - 1;
  };
  beside('bench_delivered_per_s', deliveredPerS(costs, seed), VALIDATION.capacityPerS);
  const { published, settledMs } = onBench(costs, seed, NO_WEBHOOKS);
  beside('bench_settled_per_s', (published / settledMs) * 1_000, VALIDATION.settledPerS);
  for (const { share, perS, p50, p99 } of VALIDATION.latencyMs) {
    const { latenciesMs } = atSteadyRate(costs, seed, perS);
    beside(`bench_at_${share * 100}% p50_ms`, percentile(latenciesMs, 0.5), p50);
    beside(`bench_at_${share * 100}% p99_ms`, percentile(latenciesMs, 0.99), p99);
  }
  return figures;
}

/** The same where an event costs less and more than was measured under light load. */
export function sensitivity(seed: number): Figures {
  const [, half] = VALIDATION.latencyMs;
  const figures: Record<string, number> = {};
  for (const change of CHANGES) {
    const costs = calibrate(
      seed,
      each((name) => MEASURED.lightLoadMs[name] * change),
    );
    figures[`light_load_x${change} bench_delivered_per_s`] = deliveredPerS(costs, seed);
    const { latenciesMs } = atSteadyRate(costs, seed, half.perS);
    figures[`light_load_x${change} bench_at_50% p50_ms`] = percentile(latenciesMs, 0.5);
  }
  return figures;
}

function deliveredPerS(costs: Costs, seed: number): number {
  const { delivered, tookMs } = onBench(costs, seed, CLOSED);
  return (delivered / tookMs) * 1_000;
}

const atSteadyRate = (costs: Costs, seed: number, perS: number): Outcome =>
  onBench(costs, seed, { load: { kind: 'steady', perS }, durationMs: STEADY_MS });
