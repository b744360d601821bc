import { fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createLog } from '../../infra/log.ts';
import { connectQueue } from '../../infra/queue/client.ts';
import { openBroker } from '../support/broker.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { createLeanClient, type LeanClient } from './lean-client.ts';
import { type Api, connectApi, nextMessage } from './load.ts';
import { cpuMs, diskMiB, memoryMiB } from './processes.ts';
import type { Arrival, Counts, Order } from './receiver.ts';

/** How long what was published may take to arrive before the bench gives up, in ms. */
const PATIENCE_MS = 300_000;
/** The stack is idle where it takes no more than so much of a core, so many times in a row, looked at every so many ms. */
const IDLE_SHARE = 0.15;
const QUIET_LOOKS = 3;
const LOOK_MS = 200;
/** How many of the stack's warnings are shown at the end. */
const SHOWN_WARNINGS = 20;

export type BenchStack = Awaited<ReturnType<typeof startBenchStack>>;

/** A stack with a receiver in a process of its own and a client of so many connections. */
export async function startBenchStack(
  connections: number,
  options: { env?: Record<string, string>; dataDir?: string } = {},
) {
  const receiver = fork(new URL('./receiver.ts', import.meta.url));
  const { port } = await nextMessage<{ port: number }>(receiver);
  const beganMs = performance.now();
  const stack: Stack = await startStack(options);
  const startedInMs = performance.now() - beganMs;
  const api: Api = connectApi(stack.url, connections);
  const processes = [...(await stack.processes()), { name: 'receiver', pid: receiver.pid as number }];
  const { natsUrl } = await stack.run();
  const queue = await connectQueue(natsUrl as string, { ackWaitMs: 0, log: createLog('bench', 'warn') });
  let round = 0;

  const tell = (order: Order) => receiver.send(order);
  /** CPU time used so far, in ms, by process. */
  const usedMs = () => new Map(processes.map(({ name, pid }) => [name, cpuMs(pid)]));
  /** The same by the stack. */
  const treeCpuMs = () => processes.reduce((sum, { name, pid }) => (name === 'receiver' ? sum : sum + cpuMs(pid)), 0);
  const pidOf = (name: string) => processes.find((process) => process.name === name)?.pid ?? 0;

  return {
    api,
    /** From its command to when it served, in ms. */
    startedInMs,
    treeCpuMs,
    natsUrl: async (): Promise<string> => (await stack.run()).natsUrl as string,
    eventstoreUrl: async (): Promise<string> => (await stack.run()).eventstoreUrl as string,
    /** @param host which of this machine's many names: each counts as a receiver of its own */
    webhookUrl: (path = '/', host = 1) => `http://127.0.${host >> 8}.${host & 255}:${port}${path}`,
    /** What tells the events of one measurement from those of all others. */
    nextRound: (): number => ++round,
    /** How long each of a round's `expect` events took to arrive, in ms, once they have. @throws Error where they do not */
    async received(round: number, expect: number): Promise<number[]> {
      const message = nextMessage<{ latenciesMs: number[] }>(receiver, {
        having: 'latenciesMs',
        patienceMs: PATIENCE_MS,
      });
      tell({ expect, round });
      return (await message).latenciesMs;
    },
    /** Those of a round's events that have arrived so far. */
    async arrivals(round: number): Promise<Arrival[]> {
      const message = nextMessage<{ arrivals: Arrival[] }>(receiver, { having: 'arrivals' });
      tell({ list: round });
      return (await message).arrivals;
    },
    /** From now on no POST to `/turn…` is answered. */
    turn: () => tell({ turn: true }),
    /** From now on POSTs to `/fail…` are answered with 200. */
    mend: () => tell({ mend: true }),
    /** How many POSTs were answered with 500, how many not at all, and how many with 200 where it had been 500, so far. */
    counts(): Promise<Counts> {
      const message = nextMessage<Counts>(receiver, { having: 'mended' });
      tell({ count: true });
      return message;
    },
    /** To the process of that name, once one runs. @throws Error where none does for long */
    async signal(name: string, signal: NodeJS.Signals): Promise<void> {
      process.kill(await stack.pidOf(name), signal);
    },
    /** How many of its processes are not those that it was started with. */
    async restarted(): Promise<number> {
      const pids = new Set((await stack.processes()).map(({ pid }) => pid));
      return processes.filter(({ name, pid }) => name !== 'receiver' && !pids.has(pid)).length;
    },
    /** Another client of the gateway, with so many connections. */
    connect: (connections: number): LeanClient => createLeanClient(stack.url, connections),
    /** Resolves once the stack has nothing more to do than when it was started. */
    async whenIdle(): Promise<void> {
      for (let quiet = 0; quiet < QUIET_LOOKS; ) {
        const before = treeCpuMs();
        await delay(LOOK_MS);
        quiet = treeCpuMs() - before <= IDLE_SHARE * LOOK_MS ? quiet + 1 : 0;
      }
    },
    /** Messages that wait on the queue, for whatever reason. */
    queued: async (): Promise<number> => (await queue.state()).messages,
    /** Makes the broker forget the queue, as one whose disk was lost. */
    forgetQueue: async (): Promise<void> => {
      const broker = await openBroker(natsUrl as string);
      await broker.deleteStream();
      await broker.close();
    },
    /** Messages that were never handed to a worker, or not since they were moved to wait. */
    untaken: async (): Promise<number> => (await queue.state()).untaken,
    /** What the queue takes on the disk, in MiB. */
    queueDiskMiB: () => diskMiB(join(stack.dataDir, 'nats')),
    /** Memory of the stack without the receiver, in MiB. */
    treeMiB: async () => (await stack.processes()).reduce((sum, { pid }) => sum + memoryMiB(pid), 0),
    /** The same by process. */
    memoryByProcess: async () => (await stack.processes()).map(({ name, pid }) => [name, memoryMiB(pid)] as const),
    /** Memory of one of its processes, in MiB. */
    memoryMiB: (name: string) => memoryMiB(pidOf(name)),
    cpuMs: usedMs,
    /** CPU time that the stack has used for each of so many events since then, in ms, by process. */
    cpuMsPerEvent: (sinceMs: ReadonlyMap<string, number>, events: number): [string, number][] =>
      [...usedMs()]
        .filter(([name]) => name !== 'receiver')
        .map(([name, ms]) => [`cpu_ms_per_event ${name}`, (ms - (sinceMs.get(name) ?? 0)) / events]),
    async stop() {
      const warnings = stack
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{'));
      if (warnings.length > 0)
        console.log(`${warnings.length} warnings:\n${warnings.slice(-SHOWN_WARNINGS).join('\n')}`);
      api.close();
      await queue.close();
      await stack.stop();
      receiver.disconnect();
    },
  };
}
