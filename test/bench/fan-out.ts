import { startBenchStack } from './bench-stack.ts';
import { type Figures, spread } from './figures.ts';
import { makeChannel, publishCount } from './load.ts';

const ROUNDS = 5;

/** How long one event takes to all webhooks of a wide channel, from its publication to the last delivery, in ms. */
export async function fanOut({ quick }: { quick: boolean }): Promise<Figures> {
  const figures: Figures = {};
  const bench = await startBenchStack(8);
  try {
    for (const width of quick ? [10, 1_000] : [10, 1_000, 10_000]) {
      console.log(`one event to ${width} webhooks, ${ROUNDS} times ...`);
      const urls = Array.from({ length: width }, (_, i) => bench.webhookUrl(`/${i}`));
      const channel = await makeChannel(bench.api, urls);
      await bench.whenIdle();
      const tookMs: number[] = [];
      const cpuMs: number[] = [];
      for (let i = 0; i <= ROUNDS; i++) {
        const round = bench.nextRound();
        const usedMs = bench.treeCpuMs();
        await publishCount(bench.api, [channel], { round, width: 1, count: 1 });
        const latencies = await bench.received(round, width);
        await bench.whenIdle();
        // The first is to get used to it.
        if (i === 0) continue;
        tookMs.push(Math.max(...latencies));
        cpuMs.push((bench.treeCpuMs() - usedMs) / width);
      }
      figures[`fan_out_${width} last_ms`] = spread(tookMs);
      figures[`fan_out_${width} cpu_ms_per_delivery`] = spread(cpuMs);
    }
    return figures;
  } finally {
    await bench.stop();
  }
}
