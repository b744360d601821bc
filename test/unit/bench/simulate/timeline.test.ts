import { expect } from 'chai';
import { createTimeline } from '../../../bench/simulate/timeline.ts';
import { createRandom } from '../../../support/random.ts';

describe('simulated time', () => {
  it('lets everything happen once, in the order of its time, and of what is due together what was set first', () => {
    const timeline = createTimeline();
    const random = createRandom('timeline');
    const times = Array.from({ length: 2_000 }, () => random.between(0, 300));
    const happened: { atMs: number; index: number }[] = [];
    for (const [index, atMs] of times.entries()) {
      timeline.at(atMs, () => happened.push({ atMs: timeline.nowMs(), index }));
    }
    timeline.run();
    const expected = times
      .map((atMs, index) => ({ atMs, index }))
      .toSorted((a, b) => a.atMs - b.atMs || a.index - b.index);
    expect(happened).to.deep.equal(expected);
  });

  it('takes what is set while it runs, also for now', () => {
    const timeline = createTimeline();
    const seen: string[] = [];
    timeline.at(5, () => {
      timeline.after(0, () => seen.push(`now ${timeline.nowMs()}`));
      timeline.after(2, () => seen.push(`later ${timeline.nowMs()}`));
      seen.push('first');
    });
    timeline.at(6, () => seen.push('between'));
    timeline.run();
    expect(seen).to.deep.equal(['first', 'now 5', 'between', 'later 7']);
  });

  it('does not go back', () => {
    const timeline = createTimeline();
    timeline.at(5, () => expect(() => timeline.at(4, () => {})).to.throw(RangeError));
    timeline.run();
    expect(timeline.nowMs()).to.equal(5);
  });
});
