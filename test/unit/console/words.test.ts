import { expect } from 'chai';
import { age, ago, countdown, counted, percent, shortUrl, took } from '../../../services/console/words.ts';

const HOUR_MS = 3_600_000;

describe('the words of the console', () => {
  it('say how long something is ago, in its largest unit', () => {
    const CASES = {
      0: '0 s',
      59999: '59 s',
      60000: '1 min',
      [HOUR_MS]: '1 h',
      [47 * HOUR_MS]: '47 h',
      [50 * HOUR_MS]: '2 d',
    };
    for (const [ms, text] of Object.entries(CASES)) expect(age(Number(ms))).to.equal(text);
    expect(ago(1_000, 2_000)).to.equal('just now');
    expect(ago(5_000, 2_000)).to.equal('just now');
    expect(ago(0, HOUR_MS)).to.equal('1 h ago');
  });

  it('count down to the second, and not beyond', () => {
    const CASES = {
      '-5000': '0:00',
      1: '0:01',
      61000: '1:01',
      [HOUR_MS]: '1:00:00',
      [26 * HOUR_MS + 5_000]: '26:00:05',
    };
    for (const [ms, text] of Object.entries(CASES)) expect(countdown(Number(ms))).to.equal(text);
  });

  it('say how long an attempt took, and what is short of a URL', () => {
    expect([12.4, 999, 1_500, 90_000].map(took)).to.deep.equal(['12 ms', '999 ms', '1.5 s', '1.5 min']);
    expect(shortUrl('https://example.com/')).to.equal('example.com');
  });

  it('never say that all was delivered where something was not', () => {
    expect(percent(99_999, 100_000)).to.equal('99.99 %');
    expect(percent(999_999, 1_000_000)).to.equal('99.99 %');
    expect([percent(1, 1), percent(0, 3), percent(2, 3), percent(0, 0)]).to.deep.equal(['100 %', '0 %', '66 %', '–']);
    expect([counted(1, 'event'), counted(2_000, 'event')]).to.deep.equal(['1 event', '2,000 events']);
  });
});
