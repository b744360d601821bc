import { join, resolve } from 'node:path';
import { forgetProcesses } from '../metrics/place.ts';
import type { Settings } from '../settings.ts';
import { type Child, createChild, type Program } from './child.ts';
import { holdDataDir } from './data-dir.ts';
import { checkFree, createPort, freePort } from './free-port.ts';
import { endLeftovers } from './leftovers.ts';
import { masterSecret, readMasterSecret } from './master-secret.ts';
import { natsServer } from './nats-server.ts';
import { nodeProgram } from './node-program.ts';
import { removeRun, running, writeRun } from './run-file.ts';

const LOOPBACK = '127.0.0.1';
/**
 * Threads of each service for what the system cannot do without one: looking names up, above all, which may take half of them. Node has 4, so that two names
 * whose servers hang would hold up all others.
 */
const RESOLVER_THREADS = '64';
const EVENTSTORE_MAIN = join(import.meta.dirname, 'eventstore/main.ts');

/**
 * The processes of services, in the order in which they stop; servers after them. By when each must have stopped, in ms from
 * the order: a delivery may wait for its receiver, the others are quick. The projector has thousands of facts in hand where it is far behind.
 */
const SERVICES: readonly { roles: readonly string[]; stopByMs: number; youngMib?: number }[] = [
  { roles: ['gateway'], stopByMs: 8_000 },
  { roles: ['delivery'], stopByMs: 17_000 },
  { roles: ['projector', 'relay'], stopByMs: 18_500, youngMib: 16 },
];
const SERVERS_STOP_BY_MS = 20_000;

export interface StackOptions {
  readonly settings: Settings;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** The module that runs the services named in its arguments. */
  readonly servicesMain: string;
  readonly say: (line: string) => void;
}

/**
 * Everything on this machine: the servers that the settings name no other for, and the services. Holds DATA_DIR from now
 * on, until `stop` or the end of this process.
 * @throws CannotStart
 */
export async function createStack({ settings, env, servicesMain, say }: StackOptions) {
  const dataDir = resolve(settings.dataDir);
  const { host } = settings;
  const hold = await holdDataDir(dataDir, say);
  const gatewayPort = createPort(async () => settings.port || freePort(host));
  const eventstorePort = createPort(() => freePort(LOOPBACK));
  const natsPort = createPort(() => freePort(LOOPBACK));
  const eventstoreUrl = () => settings.eventstoreUrl ?? `esdb://${LOOPBACK}:${eventstorePort.current()}?tls=false`;
  const natsUrl = () => settings.natsUrl ?? `nats://${LOOPBACK}:${natsPort.current()}`;
  const url = () => `http://${reachable(host)}:${gatewayPort.current()}`;
  const common = {
    ...env,
    DATA_DIR: dataDir,
    ...masterSecretEnv(settings, dataDir),
    ALLOW_PRIVATE_NETWORKS: env.ALLOW_PRIVATE_NETWORKS || 'true',
    UV_THREADPOOL_SIZE: env.UV_THREADPOOL_SIZE || RESOLVER_THREADS,
    // Nobody else has this log.
    ...(!settings.eventstoreUrl && !env.NODE_NUMBER && { NODE_NUMBER: '0' }),
  };

  let isStopping = false;
  const child = (program: Program) => createChild(program, { say, changed: noteRun });
  const servers: Child[] = [];
  if (!settings.natsUrl) servers.push(child(natsServer(join(dataDir, 'nats'), natsPort)));
  if (!settings.eventstoreUrl) servers.push(child(nodeProgram('eventstore', EVENTSTORE_MAIN, [], eventstoreEnv)));
  const services = SERVICES.map(({ roles, youngMib }) => {
    const environment = roles[0] === 'gateway' ? gatewayEnv : serviceEnv;
    return child(nodeProgram(roles.join('+'), servicesMain, roles, environment, youngMib));
  });

  async function eventstoreEnv(wasReady: boolean) {
    const port = await eventstorePort.forStart(wasReady);
    return { ...env, HOST: LOOPBACK, PORT: `${port}`, DATA_DIR: join(dataDir, 'eventstore'), NODE_DIR: dataDir };
  }

  async function serviceEnv() {
    return {
      ...common,
      ...(settings.eventstoreUrl === undefined && { EVENTSTORE_URL: eventstoreUrl() }),
      ...(settings.natsUrl === undefined && { NATS_URL: natsUrl() }),
    };
  }

  async function gatewayEnv(wasReady: boolean) {
    return { ...(await serviceEnv()), PORT: `${await gatewayPort.forStart(wasReady)}` };
  }

  function noteRun() {
    const processes = [...servers, ...services].flatMap(({ name, pid }) => {
      const id = pid();
      return id === undefined ? [] : [running(name, id)];
    });
    const supervisor = running('supervisor', process.pid);
    try {
      writeRun(dataDir, {
        ...{ url: url(), eventstoreUrl: eventstoreUrl(), natsUrl: natsUrl(), stopping: isStopping },
        processes: [supervisor, ...processes],
      });
    } catch (error) {
      say(`cannot note what runs: ${(error as Error).message}`);
    }
  }

  return {
    dataDir,
    url,
    /** Resolves when everything serves. @throws CannotStart */
    async start(): Promise<void> {
      await endLeftovers(dataDir, say);
      forgetProcesses(dataDir);
      if (settings.port > 0) await checkFree(host, settings.port);
      if (!env.ALLOW_PRIVATE_NETWORKS)
        say('deliveries may reach this machine and private networks (ALLOW_PRIVATE_NETWORKS)');
      if (servers.length > 0) say(`starting ${servers.map(({ name }) => name).join(', ')}`);
      await Promise.all(servers.map((server) => server.start()));
      say(`starting ${services.map(({ name }) => name).join(', ')}`);
      await Promise.all(services.map((service) => service.start()));
    },
    /** Never resolves. @throws CannotStart once a part of it cannot go on, which a restart would not mend */
    whenFailed: (): Promise<never> => Promise.race([...servers, ...services].map((part) => part.whenFailed())),
    /** Stops everything in order, also where not everything has started; in 20 s, by force where it must be. */
    async stop(): Promise<void> {
      isStopping = true;
      noteRun();
      const orderedMs = performance.now();
      const leftMs = (byMs: number) => Math.max(0, orderedMs + byMs - performance.now());
      for (const [i, { stopByMs }] of SERVICES.entries()) await services[i]?.stop(leftMs(stopByMs));
      for (const server of servers) await server.stop(leftMs(SERVERS_STOP_BY_MS));
      removeRun(dataDir);
      hold.release();
    },
  };
}

/** The generated secret is used on beside MASTER_SECRETS, but not made where those are given. */
function masterSecretEnv({ masterSecret: given, masterSecrets }: Settings, dataDir: string): NodeJS.ProcessEnv {
  if (given !== undefined) return {};
  const generated = masterSecrets ? readMasterSecret(dataDir) : masterSecret(dataDir);
  return generated === null ? {} : { MASTER_SECRET: generated };
}

/** Where a client on this machine reaches a server that listens on `host`. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return LOOPBACK;
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
