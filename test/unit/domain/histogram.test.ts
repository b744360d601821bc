import { expect } from 'chai';
import fc from 'fast-check';
import { msOf, percentileMs, slotOf } from '../../../domain/histogram.ts';

/** The middle of a slot that is 2^(1/4) wide, and what three digits leave out. */
const ERROR = 2 ** (1 / 8) - 1 + 0.005;
const countsOf = (durations: readonly number[]) =>
  durations.reduce(
    (counts, ms) => counts.set(slotOf(ms), (counts.get(slotOf(ms)) ?? 0) + 1),
    new Map<number, number>(),
  );

describe('a histogram of durations', () => {
  it('knows each of them to 9.1 %, up to a quarter of an hour', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 880_000, noNaN: true }), (ms) => {
        expect(Math.abs(msOf(slotOf(ms)) - ms) / ms).to.be.lessThan(ERROR);
      }),
    );
    expect([0, 0.9].map((ms) => msOf(slotOf(ms)))).to.deep.equal([0, 0]);
    expect(slotOf(1e12)).to.equal(slotOf(1e9));
  });

  it('tells percentiles as sorting all of them would', () => {
    const durations = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(durations, fc.constantFrom(0.5, 0.95, 1), (all, share) => {
        const sorted = all.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(share * sorted.length) - 1] as number;
        const told = percentileMs(countsOf(all), share) as number;
        expect(Math.abs(told - exact) / exact).to.be.lessThan(ERROR);
      }),
    );
    expect(percentileMs(new Map(), 0.5)).to.equal(undefined);
  });
});
