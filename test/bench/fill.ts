import { setTimeout as delay } from 'node:timers/promises';
import type { BenchStack } from './bench-stack.ts';
import { type Channel, makeChannel, publishCount } from './load.ts';
import { WIDTH } from './phase.ts';

/** Webhooks that fail: few events then make many deliveries, and none of them has a backlog of its own. */
const FAILING_CHANNELS = 4;
const FAN_OUT = 100;
/** Events published at a time while filling. */
const CHUNK = 100;
/** How many deliveries may be on their way while the next are published: the queue is to hold retries, not a backlog. */
const ON_THEIR_WAY = 20_000;
const LOOK_MS = 100;
/** How often it is said how far it is. */
const PROGRESS_MS = 10_000;

/** Channels whose webhooks answer 500, to be filled. */
export async function makeFailing({ api, webhookUrl }: BenchStack): Promise<Channel[]> {
  const channels: Channel[] = [];
  for (let i = 0; i < FAILING_CHANNELS; i++) {
    const urls = Array.from({ length: FAN_OUT }, (_, j) => webhookUrl(`/fail/${i}/${j}`, 2));
    channels.push(await makeChannel(api, urls));
  }
  return channels;
}

/** Makes deliveries fail, until `to` of them wait for an hour; how many a second that were. */
export async function fill(bench: BenchStack, failing: readonly Channel[], { from, to }: { from: number; to: number }) {
  console.log(`making ${to - from} deliveries fail and wait for an hour ...`);
  const beganMs = performance.now();
  let published = from;
  let failed = from;
  let saidMs = beganMs;
  while (failed < to) {
    if (published < to && published - failed < ON_THEIR_WAY) {
      const count = Math.min(CHUNK, (to - published) / FAN_OUT);
      await publishCount(bench.api, failing, { round: bench.nextRound(), width: WIDTH, count });
      published += count * FAN_OUT;
    } else await delay(LOOK_MS);
    failed = (await bench.counts()).failed;
    if (performance.now() - saidMs < PROGRESS_MS) continue;
    saidMs = performance.now();
    console.log(`  ${failed} of ${to} wait, ${perS(failed - from, beganMs)}/s`);
  }
  return perS(to - from, beganMs);
}

const perS = (count: number, sinceMs: number): number => Math.round((count / (performance.now() - sinceMs)) * 1_000);
