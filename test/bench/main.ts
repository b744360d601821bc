import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startStack } from '../support/stack.ts';
import { connectApi, makeChannels, nextMessage, percentile, publishFor } from './load.ts';
import { cpuMs, memoryMiB } from './processes.ts';

const CHANNELS = 4;
const WIDTH = 64;

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const durationMs = options.quick ? 10_000 : 60_000;

/** Publishes as fast as the gateway accepts, to channels with one webhook each, and waits until all is delivered. */
async function publishAndDeliver() {
  const receiver = fork(new URL('./receiver.ts', import.meta.url));
  const { port } = await nextMessage<{ port: number }>(receiver);
  const stack = await startStack();
  const api = connectApi(stack.url, WIDTH);
  try {
    const channels = await makeChannels(api, CHANNELS, `http://127.0.0.1:${port}/`);
    const processes = [...(await stack.processes()), { name: 'receiver', pid: receiver.pid as number }];
    const usedMs = processes.map(({ pid }) => cpuMs(pid));
    const idleMiB = await treeMiB(stack);

    console.log(`publishing ${WIDTH}-wide to ${CHANNELS} channels for ${durationMs / 1_000} s ...`);
    const beganMs = performance.now();
    const accepted = await publishFor(api, channels, WIDTH, durationMs);
    const acceptedMs = performance.now() - beganMs;
    const loadedMiB = await treeMiB(stack);
    console.log(`${accepted.length} accepted; waiting for the rest of the deliveries ...`);
    const delivered = nextMessage<{ latenciesMs: number[] }>(receiver);
    receiver.send({ expect: accepted.length });
    const { latenciesMs } = await delivered;
    const deliveredMs = performance.now() - beganMs;

    const perEvent = processes.map(
      ({ name, pid }, i) => [name, (cpuMs(pid) - (usedMs[i] ?? 0)) / accepted.length] as const,
    );
    return {
      accepted_per_s: Math.round((accepted.length / acceptedMs) * 1_000),
      accept_p50_ms: percentile(accepted, 0.5),
      accept_p99_ms: percentile(accepted, 0.99),
      delivered_per_s: Math.round((accepted.length / deliveredMs) * 1_000),
      deliver_p50_ms: percentile(latenciesMs, 0.5),
      deliver_p99_ms: percentile(latenciesMs, 0.99),
      duplicates: latenciesMs.length - accepted.length,
      tree_idle_mib: idleMiB,
      tree_loaded_mib: loadedMiB,
      ...Object.fromEntries(perEvent.map(([name, ms]) => [`cpu_ms_per_event ${name}`, ms])),
    };
  } finally {
    await api.close();
    await stack.stop();
    receiver.disconnect();
  }
}

async function treeMiB(stack: Awaited<ReturnType<typeof startStack>>): Promise<number> {
  const processes = await stack.processes();
  return processes.reduce((sum, { pid }) => sum + memoryMiB(pid), 0);
}

const figures: Record<string, number> = await publishAndDeliver();
for (const [name, value] of Object.entries(figures)) {
  console.log(`${name.padEnd(40)} ${Number.isInteger(value) ? value : value.toFixed(3)}`);
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
