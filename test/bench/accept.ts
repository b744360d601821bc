import { type BenchStack, startBenchStack } from './bench-stack.ts';
import { type Figures, percentile, spread } from './figures.ts';
import { hammer, startKoaEcho } from './limits/limits.ts';
import { makeChannel } from './load.ts';

const BODY = JSON.stringify({ event_name: 'bench.tick', data: { text: 'x'.repeat(150) } });

/**
 * How many events the gateway accepts, to a channel without webhooks, beside what a bare Koa server answers on the same machine to the same client: a window of
 * one after a window of the other. `settled` counts the time until read models and relay have taken them in, too.
 */
export async function accept({ quick }: { quick: boolean }): Promise<Figures> {
  const widths = quick ? [1, 64] : [1, 8, 64, 512];
  const plan = quick ? { rounds: 3, durationMs: 1_500 } : { rounds: 5, durationMs: 15_000 };
  const bench = await startBenchStack(1);
  const koa = await startKoaEcho();
  try {
    let figures: Figures = {};
    for (const width of widths) {
      console.log(`accepting from ${width} connections, beside bare Koa ...`);
      figures = { ...figures, ...(await beside(bench, koa, { width, ...plan })) };
    }
    return figures;
  } finally {
    koa.stop();
    await bench.stop();
  }
}

interface Plan {
  readonly width: number;
  readonly rounds: number;
  readonly durationMs: number;
}

async function beside(bench: BenchStack, koa: Awaited<ReturnType<typeof startKoaEcho>>, plan: Plan): Promise<Figures> {
  const { width, rounds, durationMs } = plan;
  const channel = await makeChannel(bench.api, []);
  const ofKoa = koa.connect(width);
  const ofOurs = bench.connect(width);
  const path = `/v1/channels/${channel.id}/events`;
  const load = { json: BODY, width, durationMs };
  const publishes = { ...load, path, key: channel.publisher_key };
  await hammer(ofKoa, { ...load, path: '/' });
  await hammer(ofOurs, publishes);
  await bench.whenIdle();
  const measured: Record<string, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    const bare = await hammer(ofKoa, { ...load, path: '/' });
    const beganMs = performance.now();
    const usedMs = bench.cpuMs();
    const ours = await hammer(ofOurs, publishes);
    await bench.whenIdle();
    const settledMs = performance.now() - beganMs;
    const koaPerS = (bare.latenciesMs.length / bare.tookMs) * 1_000;
    const perS = (ours.latenciesMs.length / ours.tookMs) * 1_000;
    measured.push({
      ...Object.fromEntries(bench.cpuMsPerEvent(usedMs, ours.latenciesMs.length)),
      koa_per_s: koaPerS,
      per_s: perS,
      ratio: perS / koaPerS,
      settled_per_s: (ours.latenciesMs.length / settledMs) * 1_000,
      p50_ms: percentile(ours.latenciesMs, 0.5),
      p99_ms: percentile(ours.latenciesMs, 0.99),
    });
  }
  ofKoa.close();
  ofOurs.close();
  const names = Object.keys(measured[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [`accept_${width} ${name}`, spread(measured.map((round) => round[name] ?? Number.NaN))]),
  );
}
