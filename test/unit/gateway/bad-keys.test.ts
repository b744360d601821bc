import { expect } from 'chai';
import { createBadKeys } from '../../../services/gateway/bad-keys.ts';
import { Problem } from '../../../services/gateway/problems.ts';

describe('bad keys', () => {
  let nowMs: number;
  let badKeys: ReturnType<typeof createBadKeys>;
  beforeEach(() => {
    nowMs = 5_000;
    badKeys = createBadKeys(() => nowMs);
  });

  function refusal(address: string): Problem | undefined {
    try {
      badKeys.count(address);
      return undefined;
    } catch (error) {
      expect(error).to.be.instanceOf(Problem);
      return error as Problem;
    }
  }
  const send = (count: number, address: string) => {
    for (let n = 0; n < count; n++) expect(refusal(address), `${n}`).to.equal(undefined);
  };

  it('are answered as ever up to the twentieth in a minute, and then told when to come back', () => {
    send(20, 'a');
    nowMs += 15_500;
    const problem = refusal('a');
    expect(problem?.code).to.equal('too-many-bad-keys');
    expect(problem?.headers).to.deep.equal({ 'Retry-After': '45' });
    nowMs += 44_499;
    expect(refusal('a')?.headers).to.deep.equal({ 'Retry-After': '1' });
    nowMs += 1;
    send(20, 'a');
    expect(refusal('a')).not.to.equal(undefined);
  });

  it('are counted for each address', () => {
    send(20, 'a');
    send(20, 'b');
    expect(refusal('a')).not.to.equal(undefined);
  });

  it('are counted within bounds, however many addresses there are', () => {
    send(20, 'first');
    for (let n = 0; n < 30_000; n++) send(1, `address ${n}`);
    expect(badKeys.size()).to.equal(10_000);
    send(20, 'first');
  });
});
