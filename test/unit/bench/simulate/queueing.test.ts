import { expect } from 'chai';
import { createCores } from '../../../bench/simulate/cores.ts';
import { createEventLoop } from '../../../bench/simulate/event-loop.ts';
import { createTimeline } from '../../../bench/simulate/timeline.ts';
import { exponentialMs } from '../../../bench/simulate/zipf.ts';
import { createRandom } from '../../../support/random.ts';

const SERVICE_MS = 1;
const COUNT = 40_000;
/** By how much the mean of so many may differ from what it tends to, as a share. */
const TOLERANCE = 0.05;

type Serve = (serviceMs: number, done: () => void) => void;

interface Station {
  readonly cores: number;
  /** Share of the cores' time that is asked for. */
  readonly load: number;
  readonly service: 'fixed' | 'exponential';
  /** A queue with one server, or cores that all share. */
  readonly kind: 'loop' | 'shared';
}

/** Sends Poisson arrivals through a station. @returns the mean time from arrival to end, and the share of the cores' time that was used */
function measure({ cores: count, load, service, kind }: Station) {
  const timeline = createTimeline();
  const cores = createCores(timeline, count);
  const loop = createEventLoop(timeline, cores, { turnMs: 0 });
  const serve: Serve = kind === 'loop' ? loop.post : cores.run;
  const random = createRandom('queueing', count, load, service, kind);
  let sumMs = 0;
  let ended = 0;
  let left = COUNT;
  const arrive = () => {
    const sinceMs = timeline.nowMs();
    serve(service === 'fixed' ? SERVICE_MS : exponentialMs(random, 1_000 / SERVICE_MS), () => {
      sumMs += timeline.nowMs() - sinceMs;
      ended += 1;
    });
    left -= 1;
    if (left > 0) timeline.after(exponentialMs(random, (load * count * 1_000) / SERVICE_MS), arrive);
  };
  arrive();
  timeline.run();
  expect(ended).to.equal(COUNT);
  return { meanMs: sumMs / ended, used: cores.busyMs() / timeline.nowMs() / count };
}

/** Pollaczek and Khinchine: how long an arrival waits for one server, by the variation of its services (0: always the same, 1: exponential), and is served. */
const pollaczekKhinchine = (load: number, variation: number) =>
  SERVICE_MS + (load * SERVICE_MS * (1 + variation)) / (2 * (1 - load));

describe('a simulated event loop', () => {
  for (const load of [0.3, 0.7]) {
    it(`makes Poisson arrivals with one length of service wait as M/D/1 does, at ${load}`, () => {
      const { meanMs, used } = measure({ cores: 1, load, service: 'fixed', kind: 'loop' });
      expectNear(meanMs, pollaczekKhinchine(load, 0));
      expectNear(used, load);
    });

    it(`makes those with exponential services wait as M/M/1 does, at ${load}`, () => {
      const { meanMs, used } = measure({ cores: 1, load, service: 'exponential', kind: 'loop' });
      expectNear(meanMs, pollaczekKhinchine(load, 1));
      expectNear(used, load);
    });
  }

  it('is no faster on two cores: it is one thread', () => {
    const one = measure({ cores: 1, load: 0.6, service: 'fixed', kind: 'loop' });
    const { meanMs } = measure({ cores: 2, load: 0.3, service: 'fixed', kind: 'loop' });
    expectNear(meanMs, one.meanMs);
  });

  it('pays for a turn once, however much is ready, and takes what comes meanwhile in the next', () => {
    const timeline = createTimeline();
    const loop = createEventLoop(timeline, createCores(timeline, 1), { turnMs: 10 });
    const ends: number[] = [];
    const end = () => ends.push(timeline.nowMs());
    for (let task = 0; task < 3; task++) loop.post(1, end);
    timeline.at(5, () => loop.post(2, end));
    timeline.run();
    expect(ends).to.deep.equal([11, 12, 13, 25]);
    expect(loop.used()).to.deep.equal({ cpuMs: 25, turns: 2, tasks: 4 });
  });

  it('sends what it has to send at the end of a turn, once', () => {
    const timeline = createTimeline();
    const loop = createEventLoop(timeline, createCores(timeline, 1), { turnMs: 1 });
    const sent: number[] = [];
    for (let task = 0; task < 2; task++) loop.post(2, () => loop.atEndOfTurn(() => sent.push(timeline.nowMs())));
    timeline.at(3, () => loop.post(2, () => {}));
    timeline.run();
    expect(sent).to.deep.equal([5, 5]);
    expect(loop.used().turns).to.equal(2);
  });

  it('waits for its disk without a core, and does nothing meanwhile', () => {
    const timeline = createTimeline();
    const cores = createCores(timeline, 1);
    const told: number[] = [];
    const afterTurn = () => ({ waitMs: 4, afterwards: () => told.push(timeline.nowMs()) });
    const loop = createEventLoop(timeline, cores, { turnMs: 1, afterTurn });
    loop.post(1, () => {});
    timeline.at(3, () => loop.post(1, () => {}));
    timeline.run();
    expect(told).to.deep.equal([6, 12]);
    expect(cores.busyMs()).to.equal(4);
  });
});

describe('simulated cores', () => {
  it('shared by all are, for the mean, what M/M/1 is, whatever the services (processor sharing)', () => {
    const load = 0.7;
    const { meanMs } = measure({ cores: 1, load, service: 'fixed', kind: 'shared' });
    expectNear(meanMs, SERVICE_MS / (1 - load));
  });

  it('that are two make exponential services wait as M/M/2 does', () => {
    const load = 0.7;
    const { meanMs, used } = measure({ cores: 2, load, service: 'exponential', kind: 'shared' });
    expectNear(meanMs, SERVICE_MS / (1 - load ** 2));
    expectNear(used, load);
  });

  it('give each an even share, and nothing more than one core', () => {
    const timeline = createTimeline();
    const cores = createCores(timeline, 2);
    const ends: (readonly [string, number])[] = [];
    const run = (name: string, cpuMs: number) => cores.run(cpuMs, () => ends.push([name, timeline.nowMs()]));
    run('a', 2);
    run('b', 4);
    run('c', 6);
    timeline.run();
    // Two thirds of a core each until a ends at 3; then one each.
    expect(ends.map(([name]) => name)).to.deep.equal(['a', 'b', 'c']);
    expect(ends.map(([, atMs]) => Math.round(atMs * 1_000) / 1_000)).to.deep.equal([3, 5, 7]);
  });
});

function expectNear(value: number, wanted: number): void {
  expect(value / wanted).to.be.within(1 - TOLERANCE, 1 + TOLERANCE);
}
