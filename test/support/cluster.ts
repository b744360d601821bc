import { fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterInfo, connect, type JetStreamManager } from 'nats';
import type { Program } from '../../infra/local/child.ts';
import { createPort, freePort } from '../../infra/local/free-port.ts';
import { natsServer } from '../../infra/local/nats-server.ts';
import { type Api, apiAt } from './api.ts';
import { createRunning, type Running } from './running.ts';
import { newDataDir, stackEnv } from './stack.ts';
import { waitFor } from './wait.ts';

const ROOT = join(import.meta.dirname, '../..');
const LOOPBACK = '127.0.0.1';
const MEMBERS = 3;
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
  const natsDirs = Array.from({ length: MEMBERS }, newDataDir);
  const members = await natsMembers(natsDirs);
  const natsUrl = members.map(({ port }) => `nats://${LOOPBACK}:${port.current()}`).join(',');
  const nodes: Node[] = [];

  /** One more node; its directory is empty unless one is given. */
  async function startNode(dataDir = newDataDir()): Promise<Node> {
    const node = createNode(`node ${nodes.length + 1}`, dataDir, {
      ...{ ...stackEnv(), LOG_LEVEL: 'info', ...env, DATA_DIR: dataDir, ALLOW_PRIVATE_NETWORKS: 'true' },
      ...{
        EVENTSTORE_URL: `esdb://${LOOPBACK}:${storePort.current()}?tls=false`,
        NATS_URL: natsUrl,
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
    await Promise.all([...members, store].map((server) => server.stop()));
  }

  try {
    await Promise.all([...members, store].map((server) => server.start()));
    await whenQuorum(natsUrl);
    await Promise.all(Array.from({ length: count }, () => startNode()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ nodes, members, store, natsUrl, startNode, stop },
    /** The node whose relay has said last that it leads, of those that run. */
    leader: (): Node | undefined =>
      nodes.filter((node) => ledLastMs(node) > 0).toSorted((a, b) => ledLastMs(b) - ledLastMs(a))[0],
    /** Resolves once each of the nats-servers has all that it is to have: another may be lost then, and nothing with it. */
    whenWhole: () => whenWhole(natsUrl),
    /** Kills all nats-servers at once, throws away all that they hold, and starts them again. */
    async wipeNats(): Promise<void> {
      await Promise.all(members.map((member) => member.kill9()));
      for (const dir of natsDirs) rmSync(dir, { recursive: true, force: true });
      await Promise.all(members.map((member) => member.start()));
    },
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

async function natsMembers(dirs: readonly string[]) {
  const routePorts = await Promise.all(dirs.map(() => freePort(LOOPBACK)));
  const routes = routePorts.map((port) => `"nats://${LOOPBACK}:${port}"`).join(', ');
  return await Promise.all(
    dirs.map(async (dir, index) => {
      const chosen = await freePort(LOOPBACK);
      const port = createPort(async () => chosen);
      await port.forStart(false);
      const listen = `"${LOOPBACK}:${routePorts[index]}"`;
      const cluster = `cluster { name: webhooks, listen: ${listen}, routes: [${routes}] }`;
      return { ...createRunning(natsServer(dir, port, [cluster])), port };
    }),
  );
}

/** Resolves once the servers have a leader for what JetStream keeps. */
const whenQuorum = (natsUrl: string) =>
  whenTrue('a quorum', natsUrl, async (jsm) => Boolean(await jsm.getAccountInfo()));

const whenWhole = (natsUrl: string) =>
  whenTrue('whole replicas everywhere', natsUrl, async ({ streams, consumers }) => {
    const found: { cluster?: ClusterInfo }[] = await streams.list().next();
    found.push(...(await consumers.list('DELIVERIES').next()));
    const isWhole = ({ cluster }: { cluster?: ClusterInfo }) =>
      cluster?.replicas?.filter(({ current }) => current).length === MEMBERS - 1;
    return found.length > 80 && found.every(isWhole);
  });

async function whenTrue(what: string, natsUrl: string, ask: (jsm: JetStreamManager) => Promise<boolean>) {
  const nc = await connect({ servers: natsUrl.split(','), waitOnFirstConnect: true });
  const jsm = await nc.jetstreamManager({ checkAPI: false });
  await waitFor(
    what,
    () => ask(jsm).catch((error: Error) => error.message),
    (seen) => seen === true,
  );
  await nc.close();
}
