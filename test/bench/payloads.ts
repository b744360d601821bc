import { startBenchStack } from './bench-stack.ts';
import { deliveryRate } from './delivery-rate.ts';
import { type Figures, spread } from './figures.ts';
import { makeChannel } from './load.ts';

const ROUNDS = 3;
const WIDTH = 16;
/** In bytes. */
const SIZES = [200, 10_000, 200_000];

/** Events a second from publication to delivery, by how large they are. */
export async function payloads({ quick }: { quick: boolean }): Promise<Figures> {
  const durationMs = quick ? 2_000 : 15_000;
  const figures: Figures = {};
  const bench = await startBenchStack(WIDTH);
  try {
    const channel = await makeChannel(bench.api, [bench.webhookUrl()]);
    for (const size of SIZES) {
      console.log(`events of ${size} bytes ...`);
      const rates: number[] = [];
      for (let i = 0; i <= ROUNDS; i++) {
        const { perS } = await deliveryRate(bench, [channel], { width: WIDTH, durationMs, size });
        if (i > 0) rates.push(perS);
      }
      figures[`payload_${size} delivered_per_s`] = spread(rates);
      figures[`payload_${size} mb_per_s`] = spread(rates.map((perS) => (perS * size) / 1e6));
      figures[`payload_${size} tree_mib`] = await bench.treeMiB();
    }
    return figures;
  } finally {
    await bench.stop();
  }
}
