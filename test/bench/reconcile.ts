import { setTimeout as delay } from 'node:timers/promises';
import { type BenchStack, startBenchStack } from './bench-stack.ts';
import type { Figures } from './figures.ts';
import { fill, makeFailing } from './fill.ts';
import { makeChannel } from './load.ts';
import { type BenchOptions, type Load, latencies, steadyWindow, WIDTH } from './phase.ts';

const RATE_PER_S = 200;
const LOOK_MS = 100;

/** A broker that forgets while many retries wait: how soon all are on the queue again, and what live traffic notices meanwhile. */
export async function reconcile({ quick, rate = RATE_PER_S }: BenchOptions): Promise<Figures> {
  const waiting = quick ? 20_000 : 100_000;
  const bench = await startBenchStack(WIDTH);
  try {
    const healthy = await makeChannel(bench.api, [bench.webhookUrl('/', 1)]);
    const load: Load = { channels: [healthy], isHealthy: () => true, perS: rate, windowMs: 10_000, burst: 0 };
    await fill(bench, await makeFailing(bench), { from: 0, to: waiting });
    console.log(`${rate} events/s to a healthy webhook while ${waiting} retries wait ...`);
    await steadyWindow(bench, load);
    const before = await steadyWindow(bench, load);
    console.log('the broker forgets; the same load ...');
    const beganMs = performance.now();
    await bench.forgetQueue();
    const refilled = whenQueued(bench, waiting).then(() => performance.now() - beganMs);
    const during = await steadyWindow(bench, load);
    const refilledMs = await refilled;
    const after = await steadyWindow(bench, load);
    const { failed } = await bench.counts();
    return {
      waiting,
      refilled_s: refilledMs / 1_000,
      queued_after: await bench.queued(),
      attempted_again: failed - waiting,
      ...latencies('before', before),
      ...latencies('during', during),
      during_max_ms: during.max_ms as number,
      ...latencies('after', after),
    };
  } finally {
    await bench.stop();
  }
}

async function whenQueued(bench: BenchStack, count: number) {
  while ((await bench.queued()) < count) await delay(LOOK_MS);
}
