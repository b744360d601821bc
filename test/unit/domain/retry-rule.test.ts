import { expect } from 'chai';
import fc from 'fast-check';
import { isSuccess, nextAttemptMs, shortestWaitMs } from '../../../domain/retry-rule.ts';
import { AT_MS, HOUR_MS } from '../../support/sample.ts';

const ms = fc.integer({ min: 1, max: 100 * HOUR_MS });
const schedule = fc.array(ms, { minLength: 1, maxLength: 30 });
const HOURLY = { retryIntervalMs: HOUR_MS, retryWindowMs: 24 * HOUR_MS };

describe('success', () => {
  const statuses = [null, 100, 199, 200, 201, 204, 299, 300, 302, 404, 500];
  it('is 200 and nothing else', () => {
    expect(statuses.filter((status) => isSuccess({ successStatus: '200' }, status))).to.deep.equal([200]);
  });
  it('is any 2xx where the deployment says so', () => {
    expect(statuses.filter((status) => isSuccess({ successStatus: '2xx' }, status))).to.deep.equal([
      200, 201, 204, 299,
    ]);
  });
});

describe('the retry rule', () => {
  it('never asks for a time behind the window and half an interval, nor gives up before the window ends', () => {
    fc.assert(
      fc.property(ms, ms, ms, (retryIntervalMs, retryWindowMs, sinceMs) => {
        const failed = { windowFromMs: AT_MS, atMs: AT_MS + sinceMs, nth: 1 };
        const nextMs = nextAttemptMs({ retryIntervalMs, retryWindowMs }, failed);
        const endMs = AT_MS + retryWindowMs;
        if (nextMs === undefined) expect(AT_MS + sinceMs + retryIntervalMs).to.be.above(endMs);
        else
          expect(nextMs)
            .to.equal(AT_MS + sinceMs + retryIntervalMs)
            .and.at.most(endMs + retryIntervalMs / 2);
      }),
    );
  });

  it('grants the time that is asked for up to the end of the window, and never makes it shorter or one more', () => {
    fc.assert(
      fc.property(ms, ms, fc.option(schedule), fc.nat(30), (sinceMs, askedForMs, waits, nth) => {
        const times = { ...HOURLY, retrySchedule: waits ?? undefined };
        const failed = { windowFromMs: AT_MS, atMs: AT_MS + sinceMs, nth };
        const ownMs = nextAttemptMs(times, failed);
        const nextMs = nextAttemptMs(times, { ...failed, askedMs: AT_MS + askedForMs });
        const endMs = AT_MS + (waits ?? [HOURLY.retryWindowMs]).reduce((sum, wait) => sum + wait, 0);
        if (ownMs === undefined) expect(nextMs).to.equal(undefined);
        else expect(nextMs).to.equal(Math.max(ownMs, Math.min(AT_MS + askedForMs, endMs)));
      }),
    );
  });

  it('waits as a schedule says, one wait after the other, however late, then gives up', () => {
    fc.assert(
      fc.property(schedule, fc.nat(HOUR_MS), (retrySchedule, lateMs) => {
        const waits: number[] = [];
        let atMs = AT_MS + lateMs;
        for (let nth = 1; ; nth++) {
          const nextMs = nextAttemptMs({ ...HOURLY, retrySchedule }, { windowFromMs: AT_MS, atMs, nth });
          if (nextMs === undefined) break;
          waits.push(nextMs - atMs);
          atMs = nextMs + lateMs;
        }
        expect(waits).to.deep.equal(retrySchedule);
      }),
    );
  });

  it('knows its shortest wait', () => {
    expect(shortestWaitMs(HOURLY)).to.equal(HOUR_MS);
    expect(shortestWaitMs({ ...HOURLY, retrySchedule: [2, 1, 3] })).to.equal(1);
  });
});
