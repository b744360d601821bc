import { startBenchStack } from './bench-stack.ts';
import { type Figures, percentile } from './figures.ts';
import { type Channel, makeChannel, publishFor } from './load.ts';

const CHANNELS = 4;
const WIDTH = 64;

/** Publishes as fast as the gateway accepts, to channels with one webhook each, and waits until all is delivered. */
export async function throughput({ quick }: { quick: boolean }): Promise<Figures> {
  const durationMs = quick ? 10_000 : 60_000;
  const bench = await startBenchStack(WIDTH);
  try {
    const channels: Channel[] = [];
    for (let i = 0; i < CHANNELS; i++) channels.push(await makeChannel(bench.api, [bench.webhookUrl()]));
    const usedMs = bench.cpuMs();
    const tree_idle_mib = await bench.treeMiB();

    console.log(`publishing ${WIDTH}-wide to ${CHANNELS} channels for ${durationMs / 1_000} s ...`);
    const round = bench.nextRound();
    const beganMs = performance.now();
    const accepted = await publishFor(bench.api, channels, { round, width: WIDTH, durationMs });
    const acceptedMs = performance.now() - beganMs;
    const tree_loaded_mib = await bench.treeMiB();
    console.log(`${accepted.length} accepted; waiting for the rest of the deliveries ...`);
    const delivered = await bench.received(round, accepted.length);
    const deliveredMs = performance.now() - beganMs;

    const perEvent = [...bench.cpuMs()].map(
      ([name, ms]) => [name, (ms - (usedMs.get(name) ?? 0)) / accepted.length] as const,
    );
    return {
      accepted_per_s: Math.round((accepted.length / acceptedMs) * 1_000),
      accept_p50_ms: percentile(accepted, 0.5),
      accept_p99_ms: percentile(accepted, 0.99),
      delivered_per_s: Math.round((accepted.length / deliveredMs) * 1_000),
      deliver_p50_ms: percentile(delivered, 0.5),
      deliver_p99_ms: percentile(delivered, 0.99),
      tree_idle_mib,
      tree_loaded_mib,
      ...Object.fromEntries(perEvent.map(([name, ms]) => [`cpu_ms_per_event ${name}`, ms])),
    };
  } finally {
    await bench.stop();
  }
}
