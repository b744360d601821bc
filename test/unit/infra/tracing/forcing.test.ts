import { expect } from 'chai';
import { createForcing } from '../../../../infra/tracing/forcing.ts';

const context = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const sampled = { ...context, isSampled: true };

describe('what callers ask to be recorded', () => {
  let nowMs: number;
  let forcing: ReturnType<typeof createForcing>;
  beforeEach(() => {
    nowMs = 0;
    forcing = createForcing(() => nowMs);
  });
  const granted = (asked: number) =>
    Array.from({ length: asked }, () => forcing.within(sampled)).filter((each) => each?.isSampled).length;

  it('is recorded up to 100 at once, and 50 a second', () => {
    expect(granted(1_000)).to.equal(100);
    nowMs += 1_000;
    expect(granted(1_000)).to.equal(50);
    nowMs += 60_000;
    expect(granted(1_000)).to.equal(100);
  });

  it('goes on in its trace beyond that, unsampled', () => {
    granted(100);
    expect(forcing.within(sampled)).to.deep.equal({ ...context, isSampled: false });
  });

  it('costs nothing where nobody asks', () => {
    for (let count = 0; count < 1_000; count++) forcing.within({ ...context, isSampled: false });
    expect(forcing.within(undefined)).to.equal(undefined);
    expect(granted(1_000)).to.equal(100);
  });
});
