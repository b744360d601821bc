import type { BenchStack } from './bench-stack.ts';
import { type Channel, publishFor } from './load.ts';

/** What is published: for so long, so many at a time, to channels of so many webhooks each (absent: one), with so many bytes of data. */
export interface Published {
  readonly width: number;
  readonly durationMs: number;
  readonly webhooksEach?: number;
  readonly size?: number;
}

/** Deliveries a second, from the first publication to the last delivery, and how many there were; the stack is at rest afterwards. */
export async function deliveryRate(
  bench: BenchStack,
  channels: readonly Channel[],
  { webhooksEach = 1, ...published }: Published,
): Promise<{ count: number; perS: number }> {
  const round = bench.nextRound();
  const beganMs = performance.now();
  const { length } = await publishFor(bench.api, channels, { round, ...published });
  if (length === 0) throw new Error('no event was accepted');
  const count = length * webhooksEach;
  await bench.received(round, count);
  const perS = (count / (performance.now() - beganMs)) * 1_000;
  await bench.whenIdle();
  return { count, perS };
}
