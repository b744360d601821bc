import { expect } from 'chai';
import { ASSUMED, PRICES } from '../../../bench/simulate/assumed.ts';
import {
  boundPerS,
  type CellShape,
  capacityPerS,
  demands,
  type Layout,
  resources,
  totalMs,
  USUAL,
} from '../../../bench/simulate/capacity.ts';
import { coresOf, costOfMillion } from '../../../bench/simulate/cost.ts';
import { MEASURED, PARTS, STORE_PARTS } from '../../../bench/simulate/measured.ts';

const shape = (changes: Partial<CellShape> = {}): CellShape => ({ ...USUAL, nodes: 3, ...changes });

function bound(name: string, changes: Partial<CellShape>): number {
  const resource = resources(shape(changes)).find((each) => each.name === name);
  if (!resource) throw new Error(`no resource ${name}`);
  return boundPerS(resource);
}

describe('what bounds a cell', () => {
  it('is by the utilization law what is there by what an event takes of it', () => {
    expect(boundPerS({ name: 'any', servers: 4, demandMs: 2 })).to.equal(2_000);
    expect(bound('projector+relay', {})).to.be.closeTo(1_000 / MEASURED.fullLoadMs.projectorRelay, 1e-6);
    expect(bound('delivery', { nodes: 1 })).to.be.closeTo(1_000 / MEASURED.fullLoadMs.delivery, 1e-6);
  });

  it('is told in the order in which it is used up, and the first is what the cell lets through', () => {
    for (const nodes of [1, 3, 32]) {
      const all = resources(shape({ nodes })).map(boundPerS);
      expect(all).to.deep.equal(all.toSorted((a, b) => a - b));
      expect(capacityPerS(shape({ nodes }))).to.equal(all[0]);
    }
  });

  it('is divided among nodes where it is delivery, up to as many as there are shards', () => {
    const one = bound('delivery', { nodes: 1 });
    expect(bound('delivery', { nodes: 4 }) / one).to.be.closeTo(4, 1e-9);
    // Three nodes cannot have a third of 16 shards each.
    expect(bound('delivery', { nodes: 3 }) / one).to.be.closeTo(16 / 6, 1e-9);
    expect(bound('delivery', { nodes: 16 }) / one).to.be.closeTo(16, 1e-9);
    expect(bound('delivery', { nodes: 32 })).to.equal(bound('delivery', { nodes: 16 }));
  });

  it('is the same for any number of nodes where each does it for all, and less where one serves them all', () => {
    expect(bound('projector+relay', { nodes: 2 })).to.equal(bound('projector+relay', { nodes: 32 }));
    expect(bound('store_cores', { nodes: 32 })).to.be.below(bound('store_cores', { nodes: 2 }));
  });

  it('is further away where roles have processes of their own', () => {
    const [one, start, four] = (['one', 'start', 'four'] as const).map((layout) => capacityPerS(shape({ layout })));
    expect(one).to.be.below(start ?? 0);
    expect(start).to.be.below(four ?? 0);
  });

  it('is nearer with more webhooks an event and more attempts a delivery', () => {
    expect(capacityPerS(shape({ fanOut: 10 }))).to.be.below(capacityPerS(shape()) / 5);
    expect(capacityPerS(shape({ attempts: 2 }))).to.be.below(capacityPerS(shape()));
  });
});

describe('what a delivery takes', () => {
  it('grows with each node by what each does for all', () => {
    const more = totalMs(shape({ nodes: 9 })) - totalMs(shape({ nodes: 8 }));
    const { foldMs, standbyMs } = demands(shape());
    expect(standbyMs).to.equal(0);
    expect(more).to.be.closeTo(foldMs + 2 * STORE_PARTS.giveMs, 1e-9);
  });

  it('grows by the reading of publications as well where the relay is a process of its own', () => {
    const of = (nodes: number) => shape({ nodes, layout: 'four' });
    const { foldMs } = demands(of(8));
    expect(totalMs(of(9)) - totalMs(of(8))).to.be.closeTo(foldMs + PARTS.readEventMs + 3 * STORE_PARTS.giveMs, 1e-9);
    const sent = (layout: Layout) => costOfMillion(shape({ layout }), PRICES, 3_000).sent_inside_gib;
    expect(sent('four') - sent('start')).to.be.closeTo((3 * MEASURED.sentFactBytes * 1_000_000) / 2 ** 30, 1e-9);
    expect(sent('one')).to.equal(sent('start'));
  });

  it('is, of cores, all that are there, by what the cell is given to carry', () => {
    expect(coresOf(shape({ nodes: 3, nodeCores: 2, engineCores: 4 }))).to.equal(3 * 2 + 6 * 4);
    const { core_hours_paid, core_hours_used } = costOfMillion(
      shape({ nodeCores: 2, engineCores: 2 }),
      PRICES,
      capacityPerS(shape()) * ASSUMED.utilization,
    );
    // 18 cores for the 234 s that a million takes at 4,274 a second.
    expect(core_hours_paid).to.be.closeTo(1.17, 0.005);
    expect(core_hours_used).to.be.closeTo((totalMs(shape()) * 1_000_000) / 3_600_000, 1e-9);
    expect(core_hours_used).to.be.below(core_hours_paid);
  });

  it('costs what the prices say of it, each by itself', () => {
    const nothing = { coreHour: 0, gibMonth: 0, gibSentOut: 0 };
    const cost = costOfMillion(shape(), nothing, 3_000);
    expect(cost.price).to.equal(0);
    const of = (prices: Partial<typeof nothing>) => costOfMillion(shape(), { ...nothing, ...prices }, 3_000).price;
    expect(of({ coreHour: 2 })).to.be.closeTo(2 * cost.core_hours_paid, 1e-9);
    expect(of({ gibSentOut: 3 })).to.be.closeTo(3 * cost.sent_out_gib, 1e-9);
    expect(of({ gibMonth: 1 })).to.be.closeTo((cost.log_gib + cost.read_models_gib) * (ASSUMED.keptDays / 30), 1e-9);
  });

  it('is of the log two facts on three servers where one webhook answers at once', () => {
    const { log_gib } = costOfMillion(shape(), PRICES, 3_000);
    expect(log_gib).to.be.closeTo((2 * 3 * MEASURED.storedFactBytes * 1_000_000) / 2 ** 30, 1e-9);
  });
});
