import { setTimeout as delay } from 'node:timers/promises';
import { type BenchStack, startBenchStack } from './bench-stack.ts';
import { type Figures, spread } from './figures.ts';
import { fill, makeFailing } from './fill.ts';
import { makeChannel } from './load.ts';
import { type Load, maximalRate, WIDTH } from './phase.ts';

/** Events whose delivery is timed, each time. */
const SAMPLE = 10_000;
const SAMPLES = 3;
const IDLE_MS = 10_000;
const LOOK_MS = 100;

/** What waiting retries cost: delivery rate to a healthy webhook, and the broker's CPU, memory and disk, with none and with many waiting. */
export async function timers({ quick }: { quick: boolean }): Promise<Figures> {
  const steps = quick ? [0, 50_000] : [0, 200_000, 400_000, 1_000_000];
  const bench = await startBenchStack(WIDTH);
  try {
    const healthy = await makeChannel(bench.api, [bench.webhookUrl('/', 1)]);
    const failing = await makeFailing(bench);
    const load: Load = { channels: [healthy], isHealthy: () => true, perS: 0, windowMs: 0, burst: SAMPLE };
    const figures: Figures = {};
    let waiting = 0;
    for (const step of steps) {
      if (step > waiting)
        figures[`waiting_${step} filled_per_s`] = await fill(bench, failing, { from: waiting, to: step });
      waiting = step;
      console.log(`measuring with ${step} waiting ...`);
      const cost = await measure(bench, load);
      for (const [name, figure] of Object.entries(cost)) figures[`waiting_${step} ${name}`] = figure;
    }
    return figures;
  } finally {
    await bench.stop();
  }
}

async function measure(bench: BenchStack, load: Load): Promise<Figures> {
  // What failed last has been moved to where it waits.
  while ((await bench.untaken()) > 0) await delay(LOOK_MS);
  // What was published last has then gone through everything, and the read models have caught up.
  await maximalRate(bench, { ...load, burst: SAMPLE / 5 });
  const brokerMs = () => bench.cpuMs().get('nats-server') ?? 0;
  const idleFromMs = brokerMs();
  await delay(IDLE_MS);
  const idleMs = brokerMs() - idleFromMs;
  const queued = await bench.queued();
  const broker_mib = bench.memoryMiB('nats-server');
  const rates: number[] = [];
  const costs: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const fromMs = brokerMs();
    rates.push(await maximalRate(bench, load));
    costs.push((brokerMs() - fromMs) / load.burst);
  }
  return {
    queued,
    delivered_per_s: spread(rates),
    broker_cpu_idle_share: idleMs / IDLE_MS,
    broker_cpu_ms_per_event: spread(costs),
    broker_mib,
    broker_disk_mib: bench.queueDiskMiB(),
    tree_mib: await bench.treeMiB(),
  };
}
