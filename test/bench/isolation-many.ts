import { type BenchStack, startBenchStack } from './bench-stack.ts';
import type { Figures } from './figures.ts';
import { type Channel, makeChannel } from './load.ts';
import {
  type BenchOptions,
  growth,
  type Load,
  measurePhase,
  phaseFigures,
  ratios,
  steadyWindow,
  WIDTH,
} from './phase.ts';

const WEBHOOKS = 1_000;
/** Of each ten that are published to in a row, so many hang: at every moment they get new events too. */
const HANGING_OF_TEN = 3;
const RATE_PER_S = 200;

/**
 * What 700 healthy webhooks keep while 300 others, which have answered until then, hang and go on getting events: the same load before and after. Each
 * webhook has a channel and a host of its own.
 */
export async function isolationMany({ quick, rate = RATE_PER_S }: BenchOptions): Promise<Figures> {
  const bench = await startBenchStack(WIDTH);
  try {
    console.log(`making ${WEBHOOKS} channels with a webhook each ...`);
    const { channels, healthy } = await makeChannels(bench);
    const sizes = quick ? { windowMs: 10_000, burst: 5_000 } : { windowMs: 30_000, burst: 15_000 };
    const load: Load = { channels, isHealthy: (channel) => healthy.has(channel), perS: rate, ...sizes };

    console.log(`measuring ${healthy.size} webhooks while all answer, at ${rate} events/s and as fast as it goes ...`);
    const alone = await measurePhase(bench, load);
    console.log(`the other ${channels.length - healthy.size} hang from now on ...`);
    bench.turn();
    // Longer than a delivery may take: from here until those that hang are known as such.
    const onset = await steadyWindow(bench, { ...load, windowMs: 30_000 });
    console.log('measuring the healthy webhooks beside them ...');
    const beside = await measurePhase(bench, load);
    const beside_queued = await bench.queued();
    console.log('and once more, with what has gathered behind them since ...');
    const later = await measurePhase(bench, load);
    return {
      rate_per_s: rate,
      webhooks: channels.length,
      hanging: channels.length - healthy.size,
      hung: (await bench.counts()).hung,
      beside_queued,
      later_queued: await bench.queued(),
      ...Object.fromEntries(Object.entries(onset).map(([name, figure]) => [`onset ${name}`, figure])),
      ...phaseFigures({ alone, beside, later }),
      ...growth('grown_by_hanging', alone, beside),
      ...growth('grown_later', beside, later),
      ...ratios('beside', alone, beside),
      ...ratios('later', alone, later),
    };
  } finally {
    await bench.stop();
  }
}

async function makeChannels({ api, webhookUrl }: BenchStack) {
  const channels: Channel[] = [];
  const healthy = new Set<Channel>();
  for (let i = 0; i < WEBHOOKS; i++) {
    const hangs = i % 10 < HANGING_OF_TEN;
    const channel = await makeChannel(api, [webhookUrl(hangs ? '/turn' : '/', i + 1)]);
    channels.push(channel);
    if (!hangs) healthy.add(channel);
  }
  return { channels, healthy };
}
