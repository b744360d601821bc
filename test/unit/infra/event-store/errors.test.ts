import { expect } from 'chai';
import { inTime, StoreUnavailable } from '../../../../infra/event-store/errors.ts';

const failure = (call: Promise<unknown>, deadlineMs = 10_000) =>
  inTime(call, deadlineMs).then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error,
  );

describe('inTime', () => {
  it('hands on what the call returns', async () => {
    expect(await inTime(Promise.resolve(7), 10_000)).to.equal(7);
  });

  it('gives up on a call that hangs', async () => {
    const error = await failure(new Promise(() => {}), 5);
    expect(error).to.be.instanceOf(StoreUnavailable);
    expect((error as { cause?: Error }).cause?.message).to.equal('no answer in 5 ms');
  });

  it('takes what it does not know for an outage, and keeps the cause', async () => {
    const cause = new Error('14 UNAVAILABLE');
    const error = await failure(Promise.reject(cause));
    expect(error).to.be.instanceOf(StoreUnavailable);
    expect((error as Error).cause).to.equal(cause);
  });

  it('does not take our own mistakes for an outage', async () => {
    for (const mistake of [new TypeError('x'), new RangeError('y')]) {
      expect(await failure(Promise.reject(mistake))).to.equal(mistake);
    }
  });
});
