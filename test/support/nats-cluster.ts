import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterInfo, connect, type JetStreamManager } from 'nats';
import { createPort, freePort } from '../../infra/local/free-port.ts';
import { natsServer } from '../../infra/local/nats-server.ts';
import { createRunning, type Running } from './running.ts';
import { newDataDir } from './stack.ts';
import { waitFor } from './wait.ts';

const LOOPBACK = '127.0.0.1';
const MEMBERS = 3;
const STREAM = 'DELIVERIES';
/** Fewer than the delivery queue has. */
const CONSUMERS = 80;
/** How much of a nats-server's log is looked at, and what it says each second while another is away, which is none of that. */
const LINES = 40;
const ROUTE_AWAY = 'Error trying to connect to route';
/** What a nats-server 2.9.10 that was killed may say again and again, for good, of a stream that it cannot catch up with (docs/operations.md). */
const STUCK = 'stream store EOF';

/** How long they may take to have all by themselves, in ms. */
const MENDING_MS = 30_000;

type Member = Running & { readonly port: number; readonly dir: string };

export type NatsCluster = Awaited<ReturnType<typeof createNatsCluster>>;

/** A cluster of three nats-servers on loopback. None that is killed is started again by itself. */
export async function createNatsCluster() {
  const members = await createMembers();
  const url = members.map(({ port }) => `nats://${LOOPBACK}:${port}`).join(',');

  /** Kills one, throws away all that it holds, and starts it again. */
  async function wipe(member: Member): Promise<void> {
    await member.kill9();
    rmSync(member.dir, { recursive: true, force: true });
    await member.start();
  }

  /** Kills all at once, throws away all that they hold, and starts them again. */
  async function wipeAll(): Promise<void> {
    await Promise.all(members.map((member) => member.kill9()));
    await Promise.all(members.map(wipe));
  }

  /** What each has written to its log last. */
  const logs = () => members.map(({ dir }) => linesIn(dir).slice(-LINES));
  const linesIn = (dir: string): string[] =>
    readFileSync(join(dir, 'nats-server.log'), 'utf8')
      .split('\n')
      .filter((line) => !line.includes(ROUTE_AWAY));

  async function wipeStuck(): Promise<void> {
    for (const [index, lines] of logs().entries()) {
      const isStuck = lines.filter((line) => line.includes(STUCK)).length > LINES / 4;
      if (isStuck) await wipe(members[index] as Member);
    }
  }

  return {
    ...{ members, url, logs },
    /** Resolves once they have a leader for what JetStream keeps. */
    async start(): Promise<void> {
      await Promise.all(members.map((member) => member.start()));
      await whenTrue('a quorum', url, async (jsm) => Boolean(await jsm.getAccountInfo()));
    },
    stop: async (): Promise<void> => void (await Promise.all(members.map((member) => member.stop()))),
    /**
     * Resolves once each has all of the delivery queue that it is to have: another may be lost then, and nothing with it. One of 2.9 that came back may never get
     * that far: then all begin anew, which our own promise allows at any time.
     */
    async whenWhole(): Promise<void> {
      const look = async (jsm: JetStreamManager) => {
        await wipeStuck();
        return await isWhole(jsm);
      };
      await whenTrue('whole replicas everywhere', url, look, MENDING_MS).catch(wipeAll);
      await whenTrue('whole replicas everywhere', url, look);
    },
    /** Takes the consumer of a subject from all but one, which is returned: what kills that leaves nobody to lead it. */
    async leaveToOne(subject: string): Promise<Member> {
      const leader = await leaveToOne(url, subject);
      const names = await Promise.all(members.map(({ port }) => serverName(port)));
      return members[names.indexOf(leader)] as Member;
    },
    /** The names of all consumers of the delivery queue, also of those that nobody leads. */
    async consumerNames(): Promise<readonly string[]> {
      const nc = await connect({ servers: url.split(',') });
      const answer = await nc.request(`$JS.API.CONSUMER.NAMES.${STREAM}`);
      await nc.close();
      return answer.json<{ consumers: string[] }>().consumers.toSorted();
    },
    wipeAll,
  };
}

async function createMembers(): Promise<Member[]> {
  const routePorts = await Promise.all(Array.from({ length: MEMBERS }, () => freePort(LOOPBACK)));
  const routes = routePorts.map((port) => `"nats://${LOOPBACK}:${port}"`).join(', ');
  return await Promise.all(
    routePorts.map(async (routePort) => {
      const dir = newDataDir();
      const chosen = await freePort(LOOPBACK);
      const port = createPort(async () => chosen);
      await port.forStart(false);
      const cluster = `cluster { name: webhooks, listen: "${LOOPBACK}:${routePort}", routes: [${routes}] }`;
      return { ...createRunning(natsServer(dir, port, [cluster])), port: chosen, dir };
    }),
  );
}

/** @returns the name of the nats-server that is left with it */
async function leaveToOne(url: string, subject: string): Promise<string> {
  const nc = await connect({ servers: url.split(',') });
  const { consumers } = await nc.jetstreamManager();
  const found = (await consumers.list(STREAM).next()).find(({ config }) => config.filter_subject === subject);
  const name = found?.name ?? '';
  await consumers.update(STREAM, name, { num_replicas: 1 });
  const { cluster } = await waitFor(
    'one that leads alone',
    () => consumers.info(STREAM, name),
    ({ cluster }) => cluster?.leader !== undefined && !cluster.replicas?.length,
  );
  await nc.close();
  return cluster?.leader ?? '';
}

async function serverName(port: number): Promise<string> {
  const nc = await connect({ servers: `${LOOPBACK}:${port}` });
  const name = nc.info?.server_name ?? '';
  await nc.close();
  return name;
}

/** Whether each nats-server has all that it is to have. */
async function isWhole({ streams, consumers }: JetStreamManager): Promise<boolean> {
  const found: { cluster?: ClusterInfo }[] = await streams.list().next();
  found.push(...(await consumers.list(STREAM).next()));
  const current = found.map(({ cluster }) => cluster?.replicas?.filter((replica) => replica.current).length);
  return found.length > CONSUMERS && current.every((count) => count === MEMBERS - 1);
}

async function whenTrue(
  what: string,
  url: string,
  ask: (jsm: JetStreamManager) => Promise<boolean>,
  patienceMs?: number,
): Promise<void> {
  const nc = await connect({ servers: url.split(','), waitOnFirstConnect: true });
  const jsm = await nc.jetstreamManager({ checkAPI: false });
  try {
    const seen = () => ask(jsm).catch((error: Error) => error.message);
    await waitFor(what, seen, (isTrue) => isTrue === true, patienceMs);
  } finally {
    await nc.close();
  }
}
