import { type BenchStack, startBenchStack } from './bench-stack.ts';
import type { Figures } from './figures.ts';
import { type Channel, makeChannel, publishCount } from './load.ts';
import { type BenchOptions, growth, type Load, measurePhase, phaseFigures, ratios, WIDTH } from './phase.ts';

const RATE_PER_S = 200;

/**
 * What a healthy webhook keeps of its latency and rate while another one hangs with a backlog: the same measurements alone, beside half of the backlog and
 * beside all of it. Memory grows a little with every event there has been (caches fill), so as many events as half of the backlog go to a
 * webhook that takes them, first: what the halves of the backlog add beyond that is the backlog's.
 */
export async function isolation({ quick, rate = RATE_PER_S }: BenchOptions): Promise<Figures> {
  const backlog = quick ? 10_000 : 50_000;
  const half = backlog / 2;
  const bench = await startBenchStack(WIDTH);
  try {
    const healthy = await makeChannel(bench.api, [bench.webhookUrl('/', 1)]);
    const answering = await makeChannel(bench.api, [bench.webhookUrl('/', 2)]);
    const hanging = await makeChannel(bench.api, [bench.webhookUrl('/hang', 3)]);
    const sizes = quick ? { windowMs: 5_000, burst: 3_000 } : { windowMs: 20_000, burst: 10_000 };
    const load: Load = { channels: [healthy], isHealthy: () => true, perS: rate, ...sizes };
    const measure = (beside: string) => {
      console.log(`measuring a healthy webhook ${beside}, at ${rate} events/s and as fast as it goes ...`);
      return measurePhase(bench, load);
    };

    await bench.received(await publishAll(bench, answering, half), half);
    const first = await measure('alone');
    await bench.received(await publishAll(bench, answering, half), half);
    const alone = await measure(`alone, after ${half} more delivered`);
    await publishAll(bench, hanging, half);
    const beside_half = await measure(`beside one that hangs with ${half}`);
    const queued = { half_queued: await bench.queued() };
    await publishAll(bench, hanging, half);
    const beside = await measure(`beside one that hangs with ${backlog}`);
    return {
      backlog,
      rate_per_s: rate,
      ...queued,
      beside_queued: await bench.queued(),
      hung: (await bench.counts()).hung,
      ...phaseFigures({ first, alone, beside_half, beside }),
      ...growth('grown_by_as_many_delivered', first, alone),
      ...growth('grown_by_first_half', alone, beside_half),
      ...growth('grown_by_second_half', beside_half, beside),
      ...ratios('beside_half', alone, beside_half),
      ...ratios('beside', alone, beside),
    };
  } finally {
    await bench.stop();
  }
}

/** @returns the round they belong to */
async function publishAll(bench: BenchStack, channel: Channel, count: number): Promise<number> {
  console.log(`publishing ${count} events ...`);
  const round = bench.nextRound();
  await publishCount(bench.api, [channel], { round, width: WIDTH, count });
  return round;
}
