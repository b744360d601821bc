import { setTimeout as delay } from 'node:timers/promises';
import { type BenchStack, startBenchStack } from './bench-stack.ts';
import { nowUs } from './clock.ts';
import { type Figures, percentile, spread } from './figures.ts';
import { atRate, type Channel, makeChannel, type Outcome, tryPublish } from './load.ts';
import { type BenchOptions, type Load, maximalRate } from './phase.ts';
import type { Arrival } from './receiver.ts';

const CHANNELS = 4;
/** Enough of them that whoever is kept waiting keeps nobody else from asking. */
const CONNECTIONS = 1_024;
/** How much more than the capacity is offered, and what part of it counts as normal. */
const OVERLOAD = 3;
const NORMAL = 0.3;
/** Events published as fast as they are accepted, to find the capacity, and how often. */
const BURST = 5_000;
const BURSTS = 3;
/** How long normal load goes on after the overload, in ms. */
const AFTER_MS = 25_000;
/** How finely it is told when latencies are normal again, in ms, and for how many such spans in a row they must be. */
const SPAN_MS = 500;
const SPANS_IN_A_ROW = 4;
/** How long nothing may arrive before the bench takes what is missing for lost, in ms. */
const SILENCE_MS = 20_000;

/**
 * What becomes of a system that is offered three times what it can deliver: which publications it accepts, whether all of those are delivered, and how soon
 * after the overload it is its old self.
 */
export async function overload({ quick }: BenchOptions): Promise<Figures> {
  const overloadMs = quick ? 10_000 : 60_000;
  const bench = await startBenchStack(CONNECTIONS);
  try {
    const channels: Channel[] = [];
    for (let i = 0; i < CHANNELS; i++) channels.push(await makeChannel(bench.api, [bench.webhookUrl('/', i + 1)]));
    const load: Load = { channels, isHealthy: () => true, perS: 0, windowMs: 0, burst: BURST };
    console.log('finding the capacity ...');
    await maximalRate(bench, load);
    const rates: number[] = [];
    for (let i = 0; i < BURSTS; i++) rates.push(await maximalRate(bench, load));
    const capacity = spread(rates);
    const publishFor = (share: number, durationMs: number) =>
      publishOpenly(bench, channels, capacity.median * share, durationMs);

    console.log(`measuring at ${NORMAL} times the capacity ...`);
    const before = await publishFor(NORMAL, quick ? 5_000 : 15_000);
    const normal = await whenArrived(bench, before);
    const tree_before_mib = await bench.treeMiB();
    console.log(`publishing at ${OVERLOAD} times the capacity for ${overloadMs / 1_000} s ...`);
    const beganUs = nowUs();
    const during = await publishFor(OVERLOAD, overloadMs);
    const endUs = nowUs();
    const tree_during_mib = await bench.treeMiB();
    console.log(`and at ${NORMAL} times again ...`);
    const after = await publishFor(NORMAL, AFTER_MS);
    const overloaded = await whenArrived(bench, during);
    const recovered = await whenArrived(bench, after);
    const normal_p99_ms = percentile(latencies(normal), 0.99);
    const deliveredDuring = overloaded.filter(({ sentUs, latencyMs }) => sentUs + latencyMs * 1_000 < endUs).length;
    return {
      capacity_per_s: capacity,
      ...figuresOf('before', before, normal),
      ...figuresOf('during', during, overloaded),
      'during delivered_per_s': (deliveredDuring / (endUs - beganUs)) * 1_000_000,
      ...figuresOf('after', after, recovered),
      normal_again_after_s: normalAgainAfterS(recovered, endUs, 2 * normal_p99_ms),
      lost: lost(before, normal) + lost(during, overloaded) + lost(after, recovered),
      processes_restarted: await bench.restarted(),
      tree_before_mib,
      tree_during_mib,
      tree_after_mib: await bench.treeMiB(),
    };
  } finally {
    await bench.stop();
  }
}

/** What was published in one round, and what came of it. */
interface Published {
  readonly round: number;
  readonly outcomes: readonly Outcome[];
  readonly lateMs: readonly number[];
}

/** Publishes at a rate whatever the answers are; what is refused is not tried again. */
async function publishOpenly(
  bench: BenchStack,
  channels: readonly Channel[],
  perS: number,
  durationMs: number,
): Promise<Published> {
  const round = bench.nextRound();
  const count = Math.round((perS * durationMs) / 1_000);
  const { results, lateMs } = await atRate({ perS, count }, (index, dueUs) =>
    tryPublish(bench.api, channels[index % channels.length] as Channel, round, dueUs),
  );
  return { round, outcomes: results, lateMs };
}

const accepted = ({ outcomes }: Published): Outcome[] => outcomes.filter(({ id }) => id !== undefined);
const latencies = (arrivals: readonly Arrival[]): number[] => arrivals.map(({ latencyMs }) => latencyMs);

/** All arrivals of a round, once every accepted event is among them or nothing has come for long. */
async function whenArrived(bench: BenchStack, published: Published): Promise<Arrival[]> {
  let arrivals = await bench.arrivals(published.round);
  let lastMs = performance.now();
  while (lost(published, arrivals) > 0 && performance.now() - lastMs < SILENCE_MS) {
    await delay(SPAN_MS);
    const before = arrivals.length;
    arrivals = await bench.arrivals(published.round);
    if (arrivals.length > before) lastMs = performance.now();
  }
  return arrivals;
}

/** How many were accepted and have not arrived. */
function lost(published: Published, arrivals: readonly Arrival[]): number {
  const ids = new Set(arrivals.map(({ id }) => id));
  return accepted(published).filter(({ id }) => !ids.has(id as number)).length;
}

function figuresOf(phase: string, published: Published, arrivals: readonly Arrival[]): Figures {
  const { outcomes, lateMs } = published;
  const answers = accepted(published).map(({ tookMs }) => tookMs);
  const figures: Figures = {
    offered: outcomes.length,
    accepted: answers.length,
    refused: outcomes.filter(({ status }) => status === 503).length,
    failed: outcomes.filter(({ status }) => status !== 503 && status !== 201).length,
    answer_p50_ms: percentile(answers, 0.5),
    answer_p99_ms: percentile(answers, 0.99),
    delivered_p50_ms: percentile(latencies(arrivals), 0.5),
    delivered_p99_ms: percentile(latencies(arrivals), 0.99),
    sent_late_p99_ms: percentile(lateMs, 0.99),
  };
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [`${phase} ${name}`, figure]));
}

/** Seconds after the overload's end from which events are delivered as fast as before; NaN where they never were. */
function normalAgainAfterS(arrivals: readonly Arrival[], endUs: number, withinMs: number): number {
  const spans = new Map<number, number[]>();
  for (const { sentUs, latencyMs } of arrivals) {
    const span = Math.floor((sentUs - endUs) / 1_000 / SPAN_MS);
    spans.set(span, [...(spans.get(span) ?? []), latencyMs]);
  }
  const isNormal = (span: number) => percentile(spans.get(span) ?? [], 0.99) <= withinMs;
  for (let span = 0; span <= AFTER_MS / SPAN_MS - SPANS_IN_A_ROW; span++) {
    if (Array.from({ length: SPANS_IN_A_ROW }, (_, i) => span + i).every(isNormal)) return (span * SPAN_MS) / 1_000;
  }
  return Number.NaN;
}
