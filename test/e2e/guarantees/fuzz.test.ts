import { expect } from 'chai';
import { type Fuzz, startFuzz } from '../../fuzz/rounds.ts';

/**
 * The promise: whatever is sent to it, it answers or refuses, and goes on. A short round of the fuzzers, always with the same things sent; `npm run fuzz` sends others,
 * for as long as one likes, and watches the memory.
 */
describe('fuzzing', function () {
  this.timeout(240_000);
  const SEED = 7;
  const RUNS = 600;
  let fuzz: Fuzz;
  before(async () => {
    fuzz = await startFuzz();
  });
  after(() => fuzz?.stop());

  it(`finds no fault, crash or hang in ${RUNS} runs (seed ${SEED})`, async () => {
    await fuzz.round(SEED, RUNS);
  });

  it('would notice the death of what it sends to', async () => {
    fuzz.isWarm();
    await fuzz.stack.kill9('eventstore');
    const failure = await fuzz.round(SEED, RUNS).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(failure).to.match(/died|UNAVAILABLE|ECONN|503|closed|hang up/);
  });
});
