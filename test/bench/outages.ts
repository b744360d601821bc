import { setTimeout as delay } from 'node:timers/promises';
import { type BenchStack, startBenchStack } from './bench-stack.ts';
import { nowUs } from './clock.ts';
import { type Figures, spread } from './figures.ts';
import { type Channel, makeChannel, tryPublish } from './load.ts';
import type { BenchOptions } from './phase.ts';

/** Each outage this often. */
const ROUNDS = 3;
/** How long a process hangs, in ms: longer than any answer is waited for. */
const HANG_MS = 8_000;
const LOOK_MS = 20;

/** How publishing goes on while a process hangs or has died, and how soon all is as before once it is back. */
export async function outages({ quick }: BenchOptions): Promise<Figures> {
  const rounds = quick ? 1 : ROUNDS;
  const bench = await startBenchStack(4);
  try {
    const channel = await makeChannel(bench.api, [bench.webhookUrl('/', 1)]);
    const figures: Figures = {};
    for (const [what, outage] of Object.entries(OUTAGES)) {
      console.log(`${what} ...`);
      const seen: Record<string, number>[] = [];
      for (let round = 0; round < rounds; round++) {
        await publishUntilAccepted(bench, channel);
        seen.push(await outage(bench, channel));
      }
      for (const name of Object.keys(seen[0] ?? {})) {
        figures[`${what}: ${name}`] = spread(seen.map((round) => round[name] as number));
      }
    }
    return figures;
  } finally {
    await bench.stop();
  }
}

type Outage = (bench: BenchStack, channel: Channel) => Promise<Record<string, number>>;

const OUTAGES: Readonly<Record<string, Outage>> = {
  'event store hangs': hang('eventstore'),
  'broker hangs': hang('nats-server'),
  'event store killed': kill('eventstore'),
  'broker killed': kill('nats-server'),
  'gateway killed': kill('gateway'),
  'delivery killed': kill('delivery'),
  'projector and relay killed': kill('projector+relay'),
};

/** Times from when the process goes on. */
function hang(name: string): Outage {
  return async (bench, channel) => {
    await bench.signal(name, 'SIGSTOP');
    const sinceMs = performance.now();
    const { status, tookMs } = await tryPublish(bench.api, channel, bench.nextRound(), nowUs());
    await delay(Math.max(0, sinceMs + HANG_MS - performance.now()));
    await bench.signal(name, 'SIGCONT');
    return { answered_with: status, answered_ms: tookMs, ...(await recovery(bench, channel)) };
  };
}

/** Times from the kill. */
function kill(name: string): Outage {
  return async (bench, channel) => {
    await bench.signal(name, 'SIGKILL');
    return recovery(bench, channel);
  };
}

/** How long it takes until an event is accepted, and until that event has been delivered, in ms. */
async function recovery(bench: BenchStack, channel: Channel) {
  const sinceMs = performance.now();
  const round = await publishUntilAccepted(bench, channel);
  const accepted_after_ms = performance.now() - sinceMs;
  await bench.received(round, 1);
  return { accepted_after_ms, delivered_after_ms: performance.now() - sinceMs };
}

/** @returns the round of the event that was accepted */
async function publishUntilAccepted(bench: BenchStack, channel: Channel): Promise<number> {
  for (;;) {
    const round = bench.nextRound();
    const { status } = await tryPublish(bench.api, channel, round, nowUs());
    if (status === 201) return round;
    await delay(LOOK_MS);
  }
}
