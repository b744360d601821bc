/** A clock that all processes of one machine share and nobody sets, in microseconds: `Date.now()` is too coarse for latencies of a few ms. */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);
