import { expect } from 'chai';
import { inTurns } from '../../../../infra/queue/turns.ts';
import { waitFor } from '../../../support/wait.ts';

describe('sources in turns', () => {
  async function* of<T>(...values: T[]) {
    yield* values;
  }
  async function* never(): AsyncGenerator<string> {
    await new Promise(() => {});
  }

  async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
    const seen: T[] = [];
    for await (const value of values) seen.push(value);
    return seen;
  }

  it('give everything, each in its own order, and end when all have', async () => {
    const seen = await all(inTurns<number>([of(1, 2, 3), of(), of(10, 20)]));
    expect(seen.filter((value) => value < 10)).to.deep.equal([1, 2, 3]);
    expect(seen.filter((value) => value >= 10)).to.deep.equal([10, 20]);
    expect(await all(inTurns([]))).to.deep.equal([]);
  });

  it('are fair: one that has thousands does not hold up one that has few', async () => {
    const many = Array.from({ length: 10_000 }, () => 'many');
    const seen = await all(inTurns([of(...many), of('few', 'few', 'few')]));
    expect(seen.slice(0, 10).filter((value) => value === 'few')).to.have.length(3);
  });

  it('are not held up by one that has nothing', async () => {
    const values = inTurns([never(), of('a', 'b')]);
    expect((await values.next()).value).to.equal('a');
    expect((await values.next()).value).to.equal('b');
  });

  it('fail with the first that fails, although others have nothing', async () => {
    const { promise: broken, reject } = Promise.withResolvers<never>();
    async function* failing(): AsyncGenerator<string> {
      yield 'a';
      await broken;
    }
    const seen: string[] = [];
    const reading = (async () => {
      for await (const value of inTurns([never(), failing()])) seen.push(value);
    })().catch((error: Error) => error.message);
    await waitFor('the first value', () => seen.length === 1);
    reject(new Error('gone'));
    expect(await reading).to.equal('gone');
  });
});
