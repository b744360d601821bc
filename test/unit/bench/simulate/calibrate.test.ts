import { expect } from 'chai';
import { BENCH, calibrate } from '../../../bench/simulate/calibrate.ts';
import { simulateCell } from '../../../bench/simulate/cell/cell.ts';
import type { Costs } from '../../../bench/simulate/cell/setting.ts';
import { MEASURED, PARTS, PROCESSES, STORE_PARTS, VALIDATION } from '../../../bench/simulate/measured.ts';

const SEED = 3;

describe('the costs of the model', () => {
  let costs: Costs;
  before(() => {
    costs = calibrate(SEED);
  });

  it('divide, without rest, what processes were measured to cost', () => {
    const { foldEventMs, foldDeliveryMs, publishMs } = PARTS;
    const { projectorRelay, store } = MEASURED.fullLoadMs;
    expect(foldEventMs + foldDeliveryMs + publishMs).to.be.closeTo(projectorRelay, 1e-9);
    expect(2 * STORE_PARTS.appendMs + 2 * STORE_PARTS.giveMs).to.be.closeTo(store, 1e-9);
    for (const part of [...Object.values(PARTS), ...Object.values(STORE_PARTS)]) expect(part).to.be.above(0);
  });

  it('make a simulation use the CPU that was measured, under full and under light load', () => {
    const full = simulateCell({ ...BENCH, costs, seed: SEED, load: { kind: 'closed', width: 64 }, durationMs: 600 });
    const perS = MEASURED.lightLoadPerS;
    const load = { kind: 'steady', perS } as const;
    const light = simulateCell({ ...BENCH, costs, seed: SEED, load, durationMs: 1_000, channels: 1_000 });
    for (const name of PROCESSES) {
      expect(full.usage[name].cpuMs / MEASURED.fullLoadMs[name], name).to.be.within(0.9, 1.1);
      expect(light.usage[name].cpuMs / MEASURED.lightLoadMs[name], name).to.be.within(0.95, 1.05);
    }
  });

  it('have it deliver about as many a second as were measured, which they know nothing of', () => {
    const load = { kind: 'closed', width: 64 } as const;
    const { delivered, tookMs } = simulateCell({ ...BENCH, costs, seed: SEED, load, durationMs: 1_500 });
    expect(((delivered / tookMs) * 1_000) / VALIDATION.capacityPerS).to.be.within(0.85, 1.1);
  });

  it('have it fall behind where that was measured, and not where it was not', () => {
    const backlogs = VALIDATION.latencyMs.map(({ perS }) => {
      const load = { kind: 'steady', perS } as const;
      const { settledMs } = simulateCell({ ...BENCH, costs, seed: SEED, load, durationMs: 2_000 });
      return settledMs > 2_100;
    });
    expect(backlogs).to.deep.equal([false, false, true]);
  });
});
