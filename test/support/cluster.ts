import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Program } from '../../infra/local/child.ts';
import { createPort, freePort } from '../../infra/local/free-port.ts';
import { type Api, apiAt } from './api.ts';
import { createNatsCluster } from './nats-cluster.ts';
import { createRunning, type Running } from './running.ts';
import { newDataDir, stackEnv } from './stack.ts';

const ROOT = join(import.meta.dirname, '../..');
const LOOPBACK = '127.0.0.1';
const ROLES = ['projector', 'relay', 'delivery', 'gateway'];

/** All services over a DATA_DIR of its own, in one process. */
export type Node = Running & {
  readonly dataDir: string;
  readonly api: () => Api;
  readonly url: () => string;
  /** All that it has printed so far. */
  readonly output: () => string;
};

export type Cluster = Awaited<ReturnType<typeof startCluster>>;

/**
 * So many nodes over one cluster of three nats-servers, which keep each message on all three, and one event store, all on loopback. Nothing that is killed is
 * started again by itself.
 */
export async function startCluster({
  nodes: count = 2,
  env = {},
}: {
  nodes?: number;
  env?: Record<string, string>;
} = {}) {
  const storePort = createPort(() => freePort(LOOPBACK));
  const store = createRunning(eventstoreProgram(storePort));
  const nats = await createNatsCluster();
  const nodes: Node[] = [];

  /** One more node; its directory is empty unless one is given. */
  async function startNode(dataDir = newDataDir()): Promise<Node> {
    const node = createNode(`node ${nodes.length + 1}`, dataDir, {
      ...{ ...stackEnv(), LOG_LEVEL: 'info', ...env, DATA_DIR: dataDir, ALLOW_PRIVATE_NETWORKS: 'true' },
      ...{
        EVENTSTORE_URL: `esdb://${LOOPBACK}:${storePort.current()}?tls=false`,
        NATS_URL: nats.url,
        NATS_REPLICAS: '3',
      },
      ...{ MASTER_SECRET: 'the same on every node of one deployment' },
    });
    nodes.push(node);
    await node.start();
    return node;
  }

  async function stop(): Promise<void> {
    await Promise.all(nodes.map((node) => node.stop()));
    await Promise.all([nats.stop(), store.stop()]);
  }

  try {
    await Promise.all([nats.start(), store.start()]);
    await Promise.all(Array.from({ length: count }, () => startNode()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ nodes, nats, store, startNode, stop },
    /** The node whose relay has said last that it leads, of those that run. */
    leader: (): Node | undefined =>
      nodes.filter((node) => ledLastMs(node) > 0).toSorted((a, b) => ledLastMs(b) - ledLastMs(a))[0],
  };
}

/** When a node has last said that its relay leads, in ms since the epoch; 0 where it has not, or leads no longer. */
function ledLastMs(node: Node): number {
  const [last] = node
    .output()
    .split('\n')
    .filter((line) => /this relay leads/.test(line))
    .slice(-1);
  return last && !/no longer/.test(last) ? Date.parse(JSON.parse(last).time) : 0;
}

function createNode(name: string, dataDir: string, env: NodeJS.ProcessEnv): Node {
  let port = 0;
  let output = '';
  const program: Program = {
    name,
    async launch() {
      const child = fork(join(ROOT, 'services/main.ts'), ROLES, {
        execArgv: [...process.execArgv, '--disable-warning=ExperimentalWarning'],
        ...{ cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
      });
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding('utf8').on('data', (part) => {
          output += part;
        });
      }
      return child;
    },
    whenReady: (child) =>
      new Promise((resolve) => {
        child.on('message', (message: { ready?: boolean; port: number }) => {
          if (!message.ready) return;
          port = message.port;
          resolve();
        });
      }),
  };
  const url = () => `http://${LOOPBACK}:${port}`;
  return { ...createRunning(program), dataDir, url, api: () => apiAt(url()), output: () => output };
}

function eventstoreProgram(port: ReturnType<typeof createPort>): Program {
  const dataDir = newDataDir();
  return {
    name: 'eventstore',
    launch: async (wasReady) =>
      fork(join(ROOT, 'infra/local/eventstore/main.ts'), [], {
        env: { ...stackEnv(), HOST: LOOPBACK, PORT: `${await port.forStart(wasReady)}`, DATA_DIR: dataDir },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      }),
    whenReady: (child) =>
      new Promise((resolve) => {
        child.on('message', (message: { ready?: boolean } | null) => message?.ready && resolve());
      }),
  };
}
