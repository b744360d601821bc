import { expect } from 'chai';
import fc from 'fast-check';
import { retryAfterMs } from '../../../domain/retry-after.ts';
import { AT_MS } from '../../support/sample.ts';

/** Whole seconds of the years that all three forms can name, seen from AT_MS (2026). */
const second = fc
  .integer({ min: Date.UTC(1977, 0, 1) / 1_000, max: Date.UTC(2076, 11, 31) / 1_000 })
  .map((seconds) => seconds * 1_000);

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** The three forms of a date, from what Node makes of it: `Sun, 06 Nov 1994 08:49:37 GMT`. */
function formsOf(ms: number): string[] {
  const imf = new Date(ms).toUTCString();
  const [, day = '', month = '', year = '', time = ''] = imf.split(' ');
  const weekday = DAYS[new Date(ms).getUTCDay()] as string;
  return [
    imf,
    `${weekday}, ${day}-${month}-${year.slice(2)} ${time} GMT`,
    `${weekday.slice(0, 3)} ${month} ${String(Number(day)).padStart(2, ' ')} ${time} ${year}`,
  ];
}

describe('Retry-After', () => {
  it('takes the examples of RFC 9110, in all three forms of a date', () => {
    const ms = Date.UTC(1994, 10, 6, 8, 49, 37);
    for (const text of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
    ]) {
      expect(retryAfterMs(text, AT_MS), text).to.equal(ms);
    }
    expect(retryAfterMs('Fri, 31 Dec 1999 23:59:59 GMT', AT_MS)).to.equal(Date.UTC(1999, 11, 31, 23, 59, 59));
    expect(retryAfterMs('120', AT_MS)).to.equal(AT_MS + 120_000);
  });

  it('counts seconds from the answer', () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => {
        expect(retryAfterMs(String(seconds), AT_MS)).to.equal(AT_MS + seconds * 1_000);
      }),
    );
  });

  it('reads every date back, in each form', () => {
    fc.assert(
      fc.property(second, (ms) => {
        for (const text of formsOf(ms)) expect(retryAfterMs(text, AT_MS), text).to.equal(ms);
      }),
    );
  });

  it('takes a year of two digits for one of the past where it seems more than 50 years ahead', () => {
    expect(retryAfterMs('Wednesday, 01-Jan-76 00:00:00 GMT', AT_MS)).to.equal(Date.UTC(2076, 0, 1));
    expect(retryAfterMs('Saturday, 01-Jan-77 00:00:00 GMT', AT_MS)).to.equal(Date.UTC(1977, 0, 1));
  });

  for (const text of [
    ...['', ' ', '-1', '+1', '1.5', '1e3', '0x10', '1 ', 'soon', '1, 2', '2026-11-24T09:00:00Z'],
    ...['Sun, 06 Nov 1994 08:49:37', 'Sun, 06 Nov 1994 08:49:37 CET', 'sun, 06 nov 1994 08:49:37 gmt'],
    ...['Sun, 31 Feb 2026 08:49:37 GMT', 'Sun, 00 Nov 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 24:00:00 GMT'],
  ]) {
    it(`is none where it is ${JSON.stringify(text)}`, () => expect(retryAfterMs(text, AT_MS)).to.equal(undefined));
  }

  it('is a time or none, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const ms = retryAfterMs(text, AT_MS);
        if (ms !== undefined) expect(ms).to.be.at.least(AT_MS);
      }),
    );
  });
});
