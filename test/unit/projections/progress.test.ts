import { expect } from 'chai';
import { createProgress } from '../../../projections/progress.ts';

describe('progress', () => {
  it('has been made where the rows are far enough', async () => {
    const progress = createProgress(() => 10);
    expect(await progress.whenProcessed(10, 0)).to.equal(true);
    expect(await progress.whenProcessed(-1, 0)).to.equal(true);
  });

  it('is waited for', async () => {
    let position = 1;
    const progress = createProgress(() => position);
    const waits = [2, 3, 5].map((at) => progress.whenProcessed(at, 10_000));
    position = 3;
    expect(await Promise.all(waits.slice(0, 2))).to.deep.equal([true, true]);
    position = 6;
    expect(await waits[2]).to.equal(true);
  });

  it('is given up on when its time has passed, each on its own', async () => {
    let nowMs = 0;
    const progress = createProgress(
      () => 1,
      -1,
      () => nowMs,
    );
    const [short, long] = [progress.whenProcessed(2, 100), progress.whenProcessed(2, 200)];
    nowMs = 150;
    expect(await short).to.equal(false);
    nowMs = 250;
    expect(await long).to.equal(false);
  });

  it('looks at the checkpoint only while somebody waits', async () => {
    let looks = 0;
    const progress = createProgress(() => looks++);
    expect(await progress.whenProcessed(5, 10_000)).to.equal(true);
    const before = looks;
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(looks).to.equal(before);
  });

  it('counts rows that lie before the head of the log as behind altogether', async () => {
    let position = 5;
    const progress = createProgress(() => position, 10);
    expect(progress.reached()).to.equal(-1);
    expect(await progress.whenProcessed(3, 0)).to.equal(false);
    position = 10;
    expect(progress.reached()).to.equal(10);
    expect(await progress.whenProcessed(3, 0)).to.equal(true);
  });

  it('counts rows that are being rebuilt as behind until they are where they were', () => {
    let position = 20;
    const progress = createProgress(() => position);
    expect(progress.reached()).to.equal(20);
    position = 7;
    expect(progress.reached()).to.equal(-1);
    expect(progress.current()).to.equal(7);
    position = 20;
    expect(progress.reached()).to.equal(20);
  });
});
