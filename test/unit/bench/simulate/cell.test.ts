import { expect } from 'chai';
import { SHARDS } from '../../../../infra/queue/shards.ts';
import { BENCH } from '../../../bench/simulate/calibrate.ts';
import { type Outcome, shardsOfNodes, simulateCell } from '../../../bench/simulate/cell/cell.ts';
import type { CellSetting, Costs, ManyMachines } from '../../../bench/simulate/cell/setting.ts';
import { MEASURED, PARTS, STORE_PARTS } from '../../../bench/simulate/measured.ts';

const TURNS = {
  gateway: 0.2,
  store: 0.3,
  projectorRelay: 0.15,
  broker: 0.2,
  delivery: 0.25,
  publisher: 0.2,
  receiver: 0.2,
};
const NO_TURNS = { gateway: 0, store: 0, projectorRelay: 0, broker: 0, delivery: 0, publisher: 0, receiver: 0 };
const COSTS: Costs = { turnMs: TURNS, eventMs: MEASURED.fullLoadMs };
const NEARBY: ManyMachines = {
  ...{ kind: 'many', nodeCores: 2, storeCores: 2, brokerCores: 2, networkMs: 0, replicating: 1 },
};

const setting = (changes: Partial<CellSetting>): CellSetting => ({
  ...{ ...BENCH, costs: COSTS, load: { kind: 'closed', width: 64 }, durationMs: 200, seed: 1, ...changes },
});

/** As different as can be. */
const SETTINGS: Readonly<Record<string, Partial<CellSetting>>> = {
  'the bench, as fast as it goes': {},
  'the bench, steadily': { load: { kind: 'steady', perS: 900 } },
  'three nodes, a popular channel, three webhooks each': {
    ...{ machines: NEARBY, nodes: 3, channels: 50, webhooksEach: 3, exponent: 1, answerMs: 5 },
    load: { kind: 'random', perS: 1_000 },
  },
  'more nodes than shards, each relay apart': {
    ...{ machines: { ...NEARBY, networkMs: 0.3 }, nodes: 20, relayApart: true, channels: 100 },
    load: { kind: 'random', perS: 1_500 },
  },
  'some webhooks fail and some hang': {
    ...{ machines: NEARBY, nodes: 2, channels: 20, failing: 0.2, hanging: 0.1, answerMs: 2 },
    load: { kind: 'random', perS: 2_000 },
  },
  'more at a time than webhooks have room for': {
    ...{ machines: NEARBY, channels: 1, answerMs: 50, load: { kind: 'closed', width: 256 } },
  },
};

describe('a simulated cell', () => {
  for (const [name, changes] of Object.entries(SETTINGS)) {
    describe(name, () => {
      let outcome: Outcome;
      before(() => {
        outcome = simulateCell(setting(changes));
      });

      it('makes each delivery once, and keeps none', () => {
        const { published, accepted, delivered, retrying, posts, kept, latenciesMs } = outcome;
        const deliveries = published * (changes.webhooksEach ?? 1);
        expect(published).to.be.above(100);
        expect({ accepted, ended: delivered + retrying, posts, kept }).to.deep.equal({
          ...{ accepted: published, ended: deliveries, posts: deliveries, kept: 0 },
        });
        expect(latenciesMs).to.have.length(delivered);
      });

      it('uses as much CPU as it says that its processes did (U = X · D)', () => {
        const { cpuMs, published, busyMs } = outcome;
        expect(busyMs / (cpuMs * published)).to.be.within(0.999_999, 1.000_001);
      });
    });
  }

  it('has failing and hanging webhooks only where they are asked for', () => {
    expect(simulateCell(setting({})).retrying).to.equal(0);
    const { retrying } = simulateCell(setting(SETTINGS['some webhooks fail and some hang'] ?? {}));
    expect(retrying).to.be.above(0);
  });

  it('sends back what a webhook has no room for', () => {
    const { returns } = simulateCell(setting(SETTINGS['more at a time than webhooks have room for'] ?? {}));
    expect(returns).to.be.above(0);
    expect(simulateCell(setting({ load: { kind: 'steady', perS: 100 } })).returns).to.equal(0);
  });

  it('is the same for the same seed, and another for another', () => {
    const random = SETTINGS['some webhooks fail and some hang'] ?? {};
    const once = simulateCell(setting(random));
    expect(simulateCell(setting(random))).to.deep.equal(once);
    expect(simulateCell(setting({ ...random, seed: 2 })).latenciesMs).to.not.deep.equal(once.latenciesMs);
  });

  it('delivers an event alone in the sum of what each stage takes', () => {
    const one = setting({
      ...{ costs: { ...COSTS, turnMs: NO_TURNS }, machines: NEARBY },
      ...{ load: { kind: 'closed', width: 1 }, durationMs: 0.001 },
    });
    const { latenciesMs } = simulateCell(one);
    const { gateway, broker, delivery } = MEASURED.fullLoadMs;
    const { foldEventMs, foldDeliveryMs, publishMs } = PARTS;
    const taken = gateway / 2 + STORE_PARTS.appendMs + MEASURED.flushMs + STORE_PARTS.giveMs;
    const queued = foldEventMs + foldDeliveryMs / 2 + publishMs + broker / 2;
    expect(latenciesMs).to.have.length(1);
    expect(latenciesMs[0]).to.be.closeTo(taken + queued + delivery / 3, 1e-9);
  });

  it('waits for the network wherever a message crosses it', () => {
    const latencyMs = (networkMs: number) => {
      const machines = { ...NEARBY, networkMs };
      const { latenciesMs } = simulateCell(
        setting({ machines, load: { kind: 'closed', width: 1 }, durationMs: 0.001 }),
      );
      return latenciesMs[0] ?? Number.NaN;
    };
    // Publisher, gateway, store and its quorum and back, readers, broker and its quorum, worker, receiver.
    expect(latencyMs(3) - latencyMs(2)).to.be.closeTo(10, 1e-6);
  });

  it('goes as fast as the stage that takes longest, and no faster with more nodes where each does that for all', () => {
    const eventMs = {
      ...MEASURED.fullLoadMs,
      gateway: 0.01,
      store: 0.01,
      projectorRelay: 1,
      broker: 0.01,
      delivery: 0.01,
    };
    const fast = (nodes: number, slow: Partial<typeof eventMs>) => {
      const costs = { turnMs: NO_TURNS, eventMs: { ...eventMs, ...slow } };
      const { delivered, settledMs } = simulateCell(setting({ costs, machines: NEARBY, nodes, channels: 1_024 }));
      return delivered / settledMs;
    };
    expect(fast(1, {})).to.be.within(0.97, 1.001);
    expect(fast(2, {})).to.be.within(0.97, 1.001);
    const one = fast(1, { delivery: 1, projectorRelay: 0.01 });
    expect(one).to.be.within(0.97, 1.001);
    expect(fast(4, { delivery: 1, projectorRelay: 0.01 }) / one).to.be.within(3, 4.001);
  });

  it('takes more at a time, and so less for each, the more there is to do', () => {
    const cpuMs = (perS: number) => simulateCell(setting({ load: { kind: 'steady', perS } })).cpuMs;
    const [light, medium, heavy] = [cpuMs(100), cpuMs(800), cpuMs(2_000)];
    expect(light).to.be.above(medium ?? 0);
    expect(medium).to.be.above(heavy ?? 0);
  });

  it('gives each shard to one node, evenly, and none to more than there are', () => {
    for (const nodes of [1, 2, 3, 5, 16, 32]) {
      const shares = shardsOfNodes(nodes);
      expect(shares).to.have.length(nodes);
      expect(shares.flat().toSorted((a, b) => a - b)).to.deep.equal([...Array(SHARDS).keys()]);
      expect(Math.max(...shares.map(({ length }) => length))).to.be.at.most(
        Math.ceil(SHARDS / Math.min(nodes, SHARDS)),
      );
    }
    expect(() => shardsOfNodes(33)).to.throw(RangeError, '32 node numbers');
  });
});
