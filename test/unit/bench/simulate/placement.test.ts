import { expect } from 'chai';
import { type PlacementSetting, place } from '../../../bench/simulate/placement.ts';
import { createPicker, zipfShares } from '../../../bench/simulate/zipf.ts';
import { createRandom } from '../../../support/random.ts';

const placed = ({ seed = 1, ...changes }: Partial<PlacementSetting> & { seed?: number } = {}) =>
  place({
    ...{ cells: 100, channelsPerCell: 100, exponent: 1, policy: 'hash', room: 2 },
    ...{ random: createRandom('placement', seed), ...changes },
  });

/** The sum of 1/1 to 1/n. */
const harmonic = (n: number) => Array.from({ length: n }, (_, i) => 1 / (i + 1)).reduce((sum, part) => sum + part, 0);

describe('Zipf', () => {
  it('has shares that fall with the power of their rank and add up to 1', () => {
    const shares = zipfShares(1_000, 0.8);
    expect(shares.reduce((sum, share) => sum + share, 0)).to.be.closeTo(1, 1e-9);
    expect((shares[0] ?? 0) / (shares[99] ?? 1)).to.be.closeTo(100 ** 0.8, 1e-6);
    expect([...zipfShares(4, 0)]).to.deep.equal([0.25, 0.25, 0.25, 0.25]);
  });

  it('picks each as often as its share says', () => {
    const shares = zipfShares(20, 1);
    const pick = createPicker(shares, createRandom('picker'));
    const counts = new Array<number>(20).fill(0);
    const picks = 50_000;
    for (let i = 0; i < picks; i++) {
      const index = pick();
      counts[index] = (counts[index] ?? 0) + 1;
    }
    for (const [index, share] of shares.entries()) {
      const deviation = Math.sqrt(picks * share * (1 - share));
      expect(counts[index]).to.be.closeTo(picks * share, 4.5 * deviation);
    }
  });
});

describe('channels on cells', () => {
  it('of one size that are hashed lie as balls in bins do', () => {
    const { p99_to_mean, fullest_to_mean, giants } = placed({ cells: 1_000, exponent: 0 });
    // 100 a cell on average, deviation 10: of the normal distribution 99 % lie below 2.33 deviations, and of a thousand none is likely beyond 5.
    expect(p99_to_mean).to.be.closeTo(1.233, 0.04);
    expect(fullest_to_mean).to.be.within(1.25, 1.5);
    expect(giants).to.equal(0);
  });

  it('lie more evenly where the emptier of two cells is taken', () => {
    for (const exponent of [0, 1]) {
      const hashed = placed({ exponent });
      const chosen = placed({ exponent, policy: 'two_choices' });
      expect(chosen.fullest_to_mean).to.be.below(hashed.fullest_to_mean);
      expect(chosen.overfull_share).to.be.at.most(hashed.overfull_share);
    }
  });

  it('that no cell can carry are those above its room, and have their share of all events', () => {
    const { giants, giants_share, giants_cells, largest_channel } = placed();
    const all = harmonic(10_000);
    expect(largest_channel).to.be.closeTo(100 / all, 1e-6);
    expect(giants).to.equal(Math.floor(100 / all / 2));
    expect(giants_share).to.be.closeTo(harmonic(giants) / all, 1e-9);
    expect(giants_cells).to.equal(Math.ceil(giants_share * 100));
  });

  it('are moved until no cell has more than it can carry', () => {
    const { overfull_share, overfull_after_share, moves } = placed();
    expect(overfull_share).to.be.above(0);
    expect(moves).to.be.within(1, 1_000);
    expect(overfull_after_share).to.equal(0);
    const roomy = placed({ exponent: 0, room: 10 });
    expect({ moves: roomy.moves, overfull: roomy.overfull_share }).to.deep.equal({ moves: 0, overfull: 0 });
  });

  it('are less at the mercy of one cell the more there are', () => {
    const blasts = [10, 100, 1_000].map((cells) => placed({ cells }).blast_share);
    for (const [index, cells] of [10, 100, 1_000].entries()) {
      expect(blasts[index]).to.be.within(1 / cells, 5 / cells);
    }
  });

  it('are placed alike by the same seed', () => {
    expect(placed()).to.deep.equal(placed());
    expect(placed({ seed: 2 })).to.not.deep.equal(placed());
  });
});
