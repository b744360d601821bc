import { setTimeout as delay } from 'node:timers/promises';
import { type BenchStack, startBenchStack } from './bench-stack.ts';
import type { Figures } from './figures.ts';
import { type Channel, makeChannel, publishCount } from './load.ts';

const WIDTH = 64;
/** Events whose delivery is timed at each number of waiting retries. */
const SAMPLE = 10_000;

/** What waiting retries cost: delivery rate to a healthy webhook, and the broker's CPU and memory, with none and with many waiting. */
export async function timers({ quick }: { quick: boolean }): Promise<Figures> {
  const steps = quick ? [0, 50_000] : [0, 200_000, 400_000, 1_000_000];
  const bench = await startBenchStack(WIDTH);
  try {
    const healthy = await makeChannel(bench.api, [bench.webhookUrl()]);
    const failing = await makeChannel(bench.api, [bench.webhookUrl('/fail')]);
    const figures: Figures = {};
    await healthyRate(bench, healthy);
    let waiting = 0;
    for (const step of steps) {
      console.log(`making ${step - waiting} deliveries fail and wait for an hour ...`);
      await publishCount(bench.api, [failing], { round: bench.nextRound(), width: WIDTH, count: step - waiting });
      while ((await bench.counts()).failed < step) await delay(200);
      waiting = step;
      const idle = await idleCost(bench);
      Object.assign(figures, {
        [`waiting_${step} delivered_per_s`]: await healthyRate(bench, healthy),
        [`waiting_${step} broker_mib`]: idle.brokerMiB,
        [`waiting_${step} broker_cpu_share`]: idle.brokerCpu,
        [`waiting_${step} tree_mib`]: await bench.treeMiB(),
      });
    }
    return figures;
  } finally {
    await bench.stop();
  }
}

async function healthyRate(bench: BenchStack, healthy: Channel): Promise<number> {
  const round = bench.nextRound();
  const beganMs = performance.now();
  await publishCount(bench.api, [healthy], { round, width: WIDTH, count: SAMPLE });
  await bench.received(round, SAMPLE);
  return Math.round((SAMPLE / (performance.now() - beganMs)) * 1_000);
}

/** What the broker uses while nothing is published. */
async function idleCost(bench: BenchStack) {
  const OVER_MS = 5_000;
  const before = bench.cpuMs().get('nats-server') ?? 0;
  await new Promise((resolve) => setTimeout(resolve, OVER_MS));
  const used = (bench.cpuMs().get('nats-server') ?? 0) - before;
  return { brokerCpu: used / OVER_MS, brokerMiB: bench.memoryMiB('nats-server') };
}
