import { type BenchStack, startBenchStack } from './bench-stack.ts';
import { deliveryRate } from './delivery-rate.ts';
import { type Figures, median, percentile, type Spread, spread } from './figures.ts';
import { startPostLoop } from './limits/limits.ts';
import { type Channel, makeChannel, publishAtRate } from './load.ts';

const CHANNELS = 4;
const WIDTH = 64;
/** Shares of the capacity at which latency is measured. */
const SHARES = [0.1, 0.5, 0.9];

/**
 * How many events reach a webhook each, from the first publication to the last delivery, beside a bare loop of POSTs to the same receiver; then, at shares of that
 * rate and in an open loop, how long they take from when they should have been published (corrected for coordinated omission).
 */
export async function deliver({ quick }: { quick: boolean }): Promise<Figures> {
  const plan = quick
    ? { rounds: 3, durationMs: 4_000, windowMs: 8_000, sustainedMs: 0 }
    : { rounds: 5, durationMs: 20_000, windowMs: 60_000, sustainedMs: 600_000 };
  const bench = await startBenchStack(WIDTH);
  const loop = await startPostLoop();
  const figures: Record<string, number | Spread> = {};
  try {
    const channels: Channel[] = [];
    for (let i = 0; i < CHANNELS; i++) channels.push(await makeChannel(bench.api, [bench.webhookUrl()]));
    Object.assign(figures, await memory(bench, 'idle'));
    await deliveryRate(bench, channels, { width: WIDTH, durationMs: plan.durationMs });
    const bare: number[] = [];
    const ours: number[] = [];
    const usedMs = bench.cpuMs();
    let delivered = 0;
    for (let i = 0; i < plan.rounds; i++) {
      console.log(`delivering as fast as it goes, beside bare POSTs, ${i + 1} of ${plan.rounds} ...`);
      const round = bench.nextRound();
      bare.push(await loop.run({ url: bench.webhookUrl(), width: WIDTH, durationMs: plan.durationMs, round }));
      const { perS, count } = await deliveryRate(bench, channels, { width: WIDTH, durationMs: plan.durationMs });
      ours.push(perS);
      delivered += count;
    }
    Object.assign(figures, await memory(bench, 'loaded'));
    for (const [name, ms] of bench.cpuMsPerEvent(usedMs, delivered)) figures[`deliver ${name}`] = ms;
    figures['deliver post_loop_per_s'] = spread(bare);
    figures['deliver per_s'] = spread(ours);
    figures['deliver ratio'] = spread(ours.map((perS, i) => perS / (bare[i] ?? Number.NaN)));
    for (const share of SHARES) {
      const perS = Math.max(1, Math.round(median(ours) * share));
      console.log(`delivering ${perS} events/s for ${plan.windowMs / 1_000} s ...`);
      const latencies = await latency(bench, channels, perS, plan.windowMs);
      for (const [name, value] of Object.entries(latencies)) figures[`deliver_at_${share * 100}% ${name}`] = value;
    }
    if (plan.sustainedMs > 0) {
      console.log(`delivering as fast as it goes for ${plan.sustainedMs / 60_000} minutes ...`);
      const { perS } = await deliveryRate(bench, channels, { width: WIDTH, durationMs: plan.sustainedMs });
      figures['deliver sustained_per_s'] = perS;
      figures['deliver sustained_ratio'] = perS / median(bare);
      Object.assign(figures, await memory(bench, 'sustained'));
    }
    return figures;
  } finally {
    loop.stop();
    await bench.stop();
  }
}

/** Of the whole tree, and of each process. */
async function memory(bench: BenchStack, when: string): Promise<Record<string, number>> {
  const mib = await bench.memoryByProcess();
  const tree = mib.reduce((sum, [, of]) => sum + of, 0);
  return Object.fromEntries(
    [['tree', tree] as const, ...mib].map(([of, value]) => [`deliver ${of}_${when}_mib`, value]),
  );
}

async function latency(bench: BenchStack, channels: readonly Channel[], perS: number, windowMs: number) {
  const round = bench.nextRound();
  const count = Math.round((perS * windowMs) / 1_000);
  const lateMs = await publishAtRate(bench.api, channels, { round, perS, count });
  const latenciesMs = await bench.received(round, count);
  await bench.whenIdle();
  return {
    per_s: perS,
    p50_ms: percentile(latenciesMs, 0.5),
    p99_ms: percentile(latenciesMs, 0.99),
    sent_late_p99_ms: percentile(lateMs, 0.99),
    tree_mib: await bench.treeMiB(),
  };
}
