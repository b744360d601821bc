import { type BenchStack, startBenchStack } from './bench-stack.ts';
import { type Channel, makeChannels, percentile, publishAtRate, publishCount } from './load.ts';

const RATE_PER_S = 200;
const WIDTH = 64;

/** What a healthy webhook keeps of its latency while another one hangs with a backlog: the same steady load before and meanwhile. */
export async function isolation({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const backlog = quick ? 10_000 : 50_000;
  const durationMs = quick ? 10_000 : 30_000;
  const bench = await startBenchStack(WIDTH);
  try {
    const [healthy] = (await makeChannels(bench.api, 1, bench.webhookUrl())) as [Channel];
    const [hanging] = (await makeChannels(bench.api, 1, bench.webhookUrl('/hang'))) as [Channel];
    console.log(`${RATE_PER_S} events/s to a healthy webhook, alone ...`);
    await steady(bench, healthy, durationMs);
    const alone = await steady(bench, healthy, durationMs);
    console.log(`publishing ${backlog} events to a webhook that hangs ...`);
    const idleMib = await bench.treeMiB();
    await publishCount(bench.api, hanging, WIDTH, backlog);
    console.log(`${RATE_PER_S} events/s to the healthy webhook, beside it ...`);
    // The first round lets what was just published reach its webhook: the backlog is to wait there, not in the pipeline.
    await steady(bench, healthy, durationMs);
    const beside = await steady(bench, healthy, durationMs);
    return {
      backlog,
      alone_p50_ms: alone.p50,
      alone_p99_ms: alone.p99,
      beside_p50_ms: beside.p50,
      beside_p99_ms: beside.p99,
      p50_ratio: beside.p50 / alone.p50,
      p99_ratio: beside.p99 / alone.p99,
      throughput_ratio: beside.perS / alone.perS,
      tree_before_backlog_mib: idleMib,
      tree_after_mib: await bench.treeMiB(),
    };
  } finally {
    await bench.stop();
  }
}

async function steady(bench: BenchStack, channel: Channel, durationMs: number) {
  const beganMs = performance.now();
  const count = await publishAtRate(bench.api, channel, RATE_PER_S, durationMs);
  const latenciesMs = await bench.received(count);
  const tookMs = performance.now() - beganMs;
  return { p50: percentile(latenciesMs, 0.5), p99: percentile(latenciesMs, 0.99), perS: (count / tookMs) * 1_000 };
}
