import { expect } from 'chai';
import fc from 'fast-check';
import { apart, scaleOver } from '../../../services/console/timeline-scale.ts';

const DAY_MS = 86_400_000;
const BEGIN_MS = Date.parse('2026-11-26T09:00:00Z');

describe('the axis of time of a delivery', () => {
  it('holds all of its times, with few ticks, in order', () => {
    const times = fc.array(fc.integer({ min: BEGIN_MS, max: BEGIN_MS + 3 * DAY_MS }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(times, (timesMs) => {
        const { place, ticks, fromMs, untilMs } = scaleOver(timesMs);
        for (const ms of timesMs) expect(place(ms)).to.be.within(0, 1);
        expect(untilMs - fromMs).to.be.at.least(1_000);
        expect(ticks.length).to.be.within(1, 6);
        const places = ticks.map(({ at }) => at);
        expect(places).to.deep.equal([...places].sort((a, b) => a - b));
        expect(places[0]).to.equal(0);
        expect(places.at(-1)).to.be.at.most(1);
      }),
    );
  });

  it('keeps attempts apart where there is room, in order, and all of them on it', () => {
    const shares = fc
      .array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 24 })
      .map((all) => all.sort((a, b) => a - b));
    fc.assert(
      fc.property(shares, (places) => {
        const moved = apart(places, 0.04);
        expect(moved).to.have.length(places.length);
        for (const [n, place] of moved.entries()) {
          expect(place).to.be.within(0, 1);
          if (n > 0) expect(place - (moved[n - 1] as number)).to.be.at.least(0.04 - 1e-9);
        }
      }),
    );
    expect(apart([0.2, 0.5, 0.9], 0.04)).to.deep.equal([0.2, 0.5, 0.9]);
  });

  it('draws a day of hourly retries where they were', () => {
    const hours = Array.from({ length: 25 }, (_, n) => BEGIN_MS + (n * DAY_MS) / 24);
    const { ticks, place } = scaleOver(hours);
    expect(ticks.map(({ atMs }) => (atMs - BEGIN_MS) / 3_600_000)).to.deep.equal([0, 6, 12, 18, 24]);
    expect(place(BEGIN_MS + DAY_MS / 2)).to.equal(0.5);
  });
});
