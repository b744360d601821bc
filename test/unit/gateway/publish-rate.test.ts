import { expect } from 'chai';
import type { Problem } from '../../../services/gateway/problems.ts';
import { createPublishRate } from '../../../services/gateway/publish-rate.ts';

describe('publish rate', () => {
  let nowMs: number;
  let rate: ReturnType<typeof createPublishRate>;
  beforeEach(() => {
    nowMs = 7_000;
    rate = createPublishRate({ quota: 3, windowS: 10 }, () => nowMs);
  });

  function refusal(channel: number, count?: number): Problem {
    try {
      rate.take(channel, count);
    } catch (error) {
      return error as Problem;
    }
    throw new Error('it was let in');
  }

  it('tells with each publication what is left, and when there is more', () => {
    const policy = { 'RateLimit-Policy': '"publish";q=3;w=10' };
    expect(rate.take(1)).to.deep.equal({ ...policy, RateLimit: '"publish";r=2;t=10' });
    nowMs += 2_500;
    expect(rate.take(1)).to.deep.equal({ ...policy, RateLimit: '"publish";r=1;t=8' });
    expect(rate.take(1)).to.deep.equal({ ...policy, RateLimit: '"publish";r=0;t=8' });
    const { code, headers } = refusal(1);
    expect({ code, headers }).to.deep.equal({
      code: 'rate-limited',
      headers: { ...policy, RateLimit: '"publish";r=0;t=8', 'Retry-After': '8' },
    });
  });

  it('takes all of several or none, and looks without taking', () => {
    rate.take(1, 0);
    expect(rate.take(1, 2).RateLimit).to.equal('"publish";r=1;t=10');
    expect(refusal(1, 2).headers.RateLimit).to.equal('"publish";r=1;t=10');
    expect(rate.take(1).RateLimit).to.equal('"publish";r=0;t=10');
    expect(refusal(1, 0).code).to.equal('rate-limited');
    expect(refusal(2, 4).code, 'more than there ever is').to.equal('fields-invalid');
  });

  it('begins anew when the window is over, whatever was refused in it', () => {
    for (let n = 0; n < 3; n++) rate.take(1);
    for (let n = 0; n < 10; n++) refusal(1);
    nowMs += 9_999;
    expect(refusal(1).headers['Retry-After']).to.equal('1');
    nowMs += 1;
    expect(rate.take(1).RateLimit).to.equal('"publish";r=2;t=10');
  });

  it('is each channel for itself', () => {
    for (let n = 0; n < 3; n++) rate.take(1);
    expect(rate.take(2).RateLimit).to.equal('"publish";r=2;t=10');
    refusal(1);
  });

  it('remembers no channel whose window is over, and never more than so many', () => {
    for (let id = 0; id < 1_000; id++) rate.take(id);
    nowMs += 10_000;
    rate.take(5_000);
    expect(rate.size()).to.equal(1);
    for (let id = 10_000; id < 250_000; id++) rate.take(id);
    expect(rate.size()).to.equal(100_000);
  });
});
