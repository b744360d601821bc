import type { Random } from '../../support/random.ts';

/** The shares of `count` things whose sizes go with the power `-exponent` of their rank (Zipf); 0: all alike. They add up to 1. */
export function zipfShares(count: number, exponent: number): Float64Array {
  const shares = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    const size = (rank + 1) ** -exponent;
    shares[rank] = size;
    sum += size;
  }
  for (let rank = 0; rank < count; rank++) shares[rank] = (shares[rank] as number) / sum;
  return shares;
}

/** Picks an index as often as its share says. */
export function createPicker(shares: Float64Array, random: Random): () => number {
  const upTo = new Float64Array(shares.length);
  let sum = 0;
  for (const [index, share] of shares.entries()) {
    sum += share;
    upTo[index] = sum;
  }
  return () => {
    const wanted = random.next() * sum;
    let low = 0;
    let high = upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] as number) > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Times between events that come at random, `perS` of them a second on average (Poisson), in ms. */
export const exponentialMs = (random: Random, perS: number): number => (-Math.log(1 - random.next()) * 1_000) / perS;
