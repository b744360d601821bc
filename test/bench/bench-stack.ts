import { fork } from 'node:child_process';
import { type Stack, startStack } from '../support/stack.ts';
import { type Api, connectApi, nextMessage } from './load.ts';
import { cpuMs, memoryMiB } from './processes.ts';

export type BenchStack = Awaited<ReturnType<typeof startBenchStack>>;

/** A stack with a receiver in a process of its own and a client of so many connections. */
export async function startBenchStack(connections: number, env: Record<string, string> = {}) {
  const receiver = fork(new URL('./receiver.ts', import.meta.url));
  const { port } = await nextMessage<{ port: number }>(receiver);
  const stack: Stack = await startStack({ env });
  const api: Api = connectApi(stack.url, connections);
  const processes = [...(await stack.processes()), { name: 'receiver', pid: receiver.pid as number }];

  return {
    api,
    webhookUrl: (path = '/') => `http://127.0.0.1:${port}${path}`,
    /** Memory of the stack without the receiver, in MiB. */
    treeMiB: async () => (await stack.processes()).reduce((sum, { pid }) => sum + memoryMiB(pid), 0),
    /** CPU time used so far, in ms, by process. */
    cpuMs: () => new Map(processes.map(({ name, pid }) => [name, cpuMs(pid)])),
    /** How long each of `count` events took to arrive, in ms, once they have. */
    async received(count: number): Promise<number[]> {
      const message = nextMessage<{ latenciesMs: number[] }>(receiver);
      receiver.send({ expect: count });
      return (await message).latenciesMs;
    },
    /** Memory of one of its processes, in MiB. */
    memoryMiB: (name: string) => memoryMiB(processes.find((process) => process.name === name)?.pid ?? 0),
    /** How many were answered with 500 so far. */
    async failed(): Promise<number> {
      const message = nextMessage<{ failed: number }>(receiver);
      receiver.send({});
      return (await message).failed;
    },
    async stop() {
      await api.close();
      await stack.stop();
      receiver.disconnect();
    },
  };
}
