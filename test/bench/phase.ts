import type { BenchStack } from './bench-stack.ts';
import { type Figures, percentile, type Spread, spread } from './figures.ts';
import { type Channel, publishAtRate, publishCount } from './load.ts';

/** Requests under way at a time where as many events are published as are accepted. */
export const WIDTH = 64;
/** How often each measurement is repeated: less than three say nothing of their spread. */
const REPEATS = 3;
/** Whose memory and CPU are told. */
const PROCESSES = ['gateway', 'eventstore', 'projector+relay', 'delivery', 'nats-server'] as const;

/** Figures of one window by name. */
type Window = Readonly<Record<string, number>>;

/** What the command line says of how a bench is to run. */
export interface BenchOptions {
  readonly quick: boolean;
  /** Steady load, events/s; absent: the bench's own. */
  readonly rate: number | undefined;
  /** Of what is drawn at random; absent: the bench's own. */
  readonly seed?: number | undefined;
}

export interface Load {
  /** One event after the other goes to the next of them, over and over. */
  readonly channels: readonly Channel[];
  /** Whose deliveries are measured. */
  readonly isHealthy: (channel: Channel) => boolean;
  /** Steady load, events/s to all channels together. */
  readonly perS: number;
  readonly windowMs: number;
  /** Events published as fast as they are accepted, for the maximal rate. */
  readonly burst: number;
}

export type Phase = Readonly<Record<string, Spread>>;

/** The same measurements whatever else is going on: windows of steady load, then bursts; of each the first is to get used to it. */
export async function measurePhase(bench: BenchStack, load: Load): Promise<Phase> {
  await steadyWindow(bench, load);
  const windows: Window[] = [];
  for (let i = 0; i < REPEATS; i++) windows.push(await steadyWindow(bench, load));
  await maximalRate(bench, load);
  const rates: number[] = [];
  for (let i = 0; i < REPEATS; i++) rates.push(await maximalRate(bench, load));
  const names = Object.keys(windows[0] ?? {});
  const steady = names.map((name) => [name, spread(windows.map((window) => window[name] ?? Number.NaN))] as const);
  return { ...Object.fromEntries(steady), max_per_s: spread(rates) };
}

/** Latencies, from when an event should have been sent until a healthy webhook had it, and what the stack used, over one window of steady load. */
export async function steadyWindow(bench: BenchStack, load: Load): Promise<Window> {
  const { channels, perS, windowMs } = load;
  const round = bench.nextRound();
  const count = Math.round((perS * windowMs) / 1_000);
  const usedMs = bench.cpuMs();
  const beganMs = performance.now();
  const lateMs = await publishAtRate(bench.api, channels, { round, perS, count });
  const healthy = healthyAmong(load, count);
  const latenciesMs = await bench.received(round, healthy);
  const tookMs = performance.now() - beganMs;
  const used = cpuShares(bench, usedMs, tookMs);
  return {
    p50_ms: percentile(latenciesMs, 0.5),
    p99_ms: percentile(latenciesMs, 0.99),
    max_ms: Math.max(...latenciesMs),
    sent_late_p99_ms: percentile(lateMs, 0.99),
    per_s: (healthy / tookMs) * 1_000,
    ...used,
    // After the window: reading it is a moment's work for the process that is looked at.
    ...Object.fromEntries(PROCESSES.map((name) => [`mib ${name}`, bench.memoryMiB(name)])),
    'mib tree': await bench.treeMiB(),
  };
}

/** Healthy deliveries a second where the next event is published as soon as one was accepted. */
export async function maximalRate(bench: BenchStack, load: Load): Promise<number> {
  const { channels, burst: count } = load;
  const round = bench.nextRound();
  const healthy = healthyAmong(load, count);
  const beganMs = performance.now();
  await publishCount(bench.api, channels, { round, width: WIDTH, count });
  await bench.received(round, healthy);
  return (healthy / (performance.now() - beganMs)) * 1_000;
}

/** How many of the first `count` events go to healthy webhooks. */
function healthyAmong({ channels, isHealthy }: Load, count: number): number {
  const among = (some: readonly Channel[]) => some.filter(isHealthy).length;
  return Math.floor(count / channels.length) * among(channels) + among(channels.slice(0, count % channels.length));
}

/** Cores in use on average since `usedMs` was read, by process and by all but the receiver. */
function cpuShares(bench: BenchStack, usedMs: ReadonlyMap<string, number>, tookMs: number): Window {
  const shares = new Map([...bench.cpuMs()].map(([name, ms]) => [name, (ms - (usedMs.get(name) ?? 0)) / tookMs]));
  shares.delete('receiver');
  const tree = [...shares.values()].reduce((sum, share) => sum + share, 0);
  return {
    ...Object.fromEntries(PROCESSES.map((name) => [`cpu_share ${name}`, shares.get(name) ?? Number.NaN])),
    'cpu_share tree': tree,
  };
}

/** How long deliveries took in a window, with its name before it. */
export function latencies(name: string, window: Window): Figures {
  return { [`${name}_p50_ms`]: window.p50_ms ?? Number.NaN, [`${name}_p99_ms`]: window.p99_ms ?? Number.NaN };
}

/** The phases' figures one below the other, each with the phase's name before it. */
export function phaseFigures(phases: Readonly<Record<string, Phase>>): Figures {
  const of = ([phase, figures]: [string, Phase]) =>
    Object.entries(figures).map(([name, figure]) => [`${phase} ${name}`, figure] as const);
  return Object.fromEntries(Object.entries(phases).flatMap(of));
}

/** What the healthy webhooks have kept: medians of `after` over those of `before`. */
export function ratios(name: string, before: Phase, after: Phase): Figures {
  const kept = (figure: string) => medianOf(after, figure) / medianOf(before, figure);
  const figures = ['p50_ms', 'p99_ms', 'per_s', 'max_per_s'];
  return Object.fromEntries(figures.map((figure) => [`${name}_ratio ${figure}`, kept(figure)]));
}

/** By how much the medians of memory have grown. */
export function growth(name: string, before: Phase, after: Phase): Figures {
  const grown = (whose: string) => medianOf(after, `mib ${whose}`) - medianOf(before, `mib ${whose}`);
  return Object.fromEntries([...PROCESSES, 'tree'].map((whose) => [`${name} mib ${whose}`, grown(whose)]));
}

const medianOf = (phase: Phase, name: string): number => phase[name]?.median ?? Number.NaN;
