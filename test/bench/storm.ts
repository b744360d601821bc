import { setTimeout as delay } from 'node:timers/promises';
import { type BenchStack, startBenchStack } from './bench-stack.ts';
import type { Figures } from './figures.ts';
import { fill, makeFailing } from './fill.ts';
import { makeChannel } from './load.ts';
import { type BenchOptions, type Load, latencies, steadyWindow, WIDTH } from './phase.ts';

const RATE_PER_S = 200;
const WINDOW_MS = 10_000;
const LOOK_MS = 50;

/**
 * Retries that are due together: how fast they are made once their time has come, and what live traffic notices. What waits longer than two minutes is what an
 * hour's wait is to the queue.
 */
export async function storm({ quick, rate = RATE_PER_S }: BenchOptions): Promise<Figures> {
  const waiting = quick ? 10_000 : 100_000;
  const env = { RETRY_INTERVAL: quick ? '20s' : '180s', RETRY_WINDOW: '1h' };
  const bench = await startBenchStack(WIDTH, { env });
  try {
    const healthy = await makeChannel(bench.api, [bench.webhookUrl('/', 1)]);
    const load: Load = { channels: [healthy], isHealthy: () => true, perS: rate, windowMs: WINDOW_MS, burst: 0 };
    await steadyWindow(bench, load);
    const before = await steadyWindow(bench, load);
    await fill(bench, await makeFailing(bench), { from: 0, to: waiting });
    await bench.mend();
    console.log('waiting until they are due ...');
    while ((await bench.counts()).mended === 0) await delay(LOOK_MS);
    const beganMs = performance.now();
    console.log(`${waiting} retries are due; ${rate} events/s to a healthy webhook meanwhile ...`);
    const drained = whenMended(bench, waiting).then(() => performance.now() - beganMs);
    const during = await steadyWindow(bench, load);
    const drainedMs = await drained;
    return {
      waiting,
      drained_s: drainedMs / 1_000,
      retries_per_s: waiting / (drainedMs / 1_000),
      ...latencies('before', before),
      ...latencies('during', during),
    };
  } finally {
    await bench.stop();
  }
}

async function whenMended(bench: BenchStack, count: number) {
  while ((await bench.counts()).mended < count) await delay(LOOK_MS);
}
