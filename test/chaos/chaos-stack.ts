import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createChild, type Program } from '../../infra/local/child.ts';
import { createPort, freePort } from '../../infra/local/free-port.ts';
import { endLeftovers } from '../../infra/local/leftovers.ts';
import { natsServer } from '../../infra/local/nats-server.ts';
import { isAlive, markProcess } from '../../infra/local/process-mark.ts';
import { aliveOn } from '../../infra/local/run-file.ts';
import { removeDerived } from '../../infra/sqlite.ts';
import { readModelsFile } from '../../projections/generations.ts';
import { stackEnv } from '../support/stack.ts';
import type { Part } from './history.ts';
import { createGate, loggedProgram, wipeable } from './programs.ts';
import { startProxy } from './proxy.ts';
import { mountSmallDisk } from './small-disk.ts';

const ROOT = join(import.meta.dirname, '../..');
const LOOPBACK = '127.0.0.1';

/** Short, so that a minute holds whole histories: retries until 10 s after the publication. */
export const POLICY = { retryIntervalMs: 1_000, retryWindowMs: 10_000, successStatus: '200' } as const;
export const SETTINGS = {
  RETRY_INTERVAL: `${POLICY.retryIntervalMs}ms`,
  RETRY_WINDOW: `${POLICY.retryWindowMs}ms`,
  DELIVERY_TIMEOUT: '1s',
  MASTER_SECRET: 'a secret that is none: it is the same in every round',
};

/** What the services of a round are started with, beside where their servers are: their clocks are those of the round. */
export const serviceEnv = (dir: string) => ({
  ...SETTINGS,
  CHAOS_CLOCKS: join(dir, 'clocks'),
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'shifted-clock.ts'))}`,
});

export const DISKS = ['eventstore', 'nats', 'data'] as const;
export type Disk = (typeof DISKS)[number];

/** What is rebuilt from the log where it is missing. */
export type Derived = 'read models' | 'relay table' | 'queue';
/** How often it is looked whether processes are gone, in ms. */
const LOOK_MS = 20;

export type ChaosStack = Awaited<ReturnType<typeof startChaosStack>>;

/**
 * Store, broker and services under `dir`, each as processes of its own, with proxies between: the services know the proxies' addresses only.
 * What dies is started again.
 */
export async function startChaosStack(dir: string) {
  const at = (name: string) => join(dir, name);
  const disks = new Map(DISKS.map((name) => [name, mountSmallDisk(at(name))]));
  mkdirSync(at('clocks'), { recursive: true });
  const ports = { store: createPort(newPort), broker: createPort(newPort), gateway: await newPort() };
  const proxies = { store: await startProxy(ports.store.current), broker: await startProxy(ports.broker.current) };
  const broker = wipeable(natsServer(join(at('nats'), 'server'), ports.broker), join(at('nats'), 'server'));
  const clocks = new Map<Part, number>();
  const log: string[] = [];
  const options = { say: (line: string) => void log.push(`${new Date().toISOString()} ${line}`), changed: () => {} };

  const storeEnv = async () => {
    const port = await ports.store.forStart(ports.store.current() > 0);
    return { ...stackEnv(), HOST: LOOPBACK, PORT: `${port}`, DATA_DIR: at('eventstore') };
  };
  const supervisorEnv = async () => ({
    ...{ ...stackEnv(), ...serviceEnv(dir), DATA_DIR: at('data'), PORT: `${ports.gateway}` },
    EVENTSTORE_URL: `esdb://${LOOPBACK}:${proxies.store.port}?tls=false`,
    NATS_URL: `nats://${LOOPBACK}:${proxies.broker.port}`,
  });
  const gate = createGate();
  const child = (program: Program) => createChild(gate.before(program), options);
  const STORE_MAIN = join(ROOT, 'infra/local/eventstore/main.ts');
  const children = {
    eventstore: child(loggedProgram('eventstore', STORE_MAIN, storeEnv, at('eventstore.log'))),
    'nats-server': child(broker),
    supervisor: child(loggedProgram('supervisor', join(ROOT, 'services/main.ts'), supervisorEnv, at('services.log'))),
  };

  function pid(part: Part): number | undefined {
    if (part in children) return children[part as keyof typeof children].pid();
    return aliveOn(at('data')).find(({ name }) => name === part)?.pid;
  }

  let stopping: Promise<void> | undefined;
  async function stopAll(): Promise<void> {
    await children.supervisor.stop(25_000);
    await endLeftovers(at('data'), () => {});
    await Promise.all([children.eventstore.stop(5_000), children['nats-server'].stop(5_000)]);
    await Promise.all([proxies.store.close(), proxies.broker.close()]);
    writeFileSync(at('harness.log'), `${log.join('\n')}\n`);
  }

  await Promise.all([children.eventstore.start(), children['nats-server'].start()]);
  await children.supervisor.start();
  return {
    ...{ dir, disks, proxies, pid },
    dataDir: at('data'),
    url: `http://${LOOPBACK}:${ports.gateway}`,
    /** Past the proxies. */
    storeUrl: () => `esdb://${LOOPBACK}:${ports.store.current()}?tls=false`,
    natsUrl: () => `nats://${LOOPBACK}:${ports.broker.current()}`,
    /** @returns whether there was such a process */
    signal(part: Part, signal: NodeJS.Signals): boolean {
      const id = pid(part);
      return id !== undefined && process.kill(id, signal);
    },
    /** Nothing that ends is started again until the returned function is called. */
    holdStarts: gate.hold,
    /** Resolves once there are no such processes, or after `patienceMs`. */
    whenGone: (parts: readonly Part[], patienceMs: number) =>
      until(() => parts.every((part) => pid(part) === undefined), patienceMs),
    /** Resolves once the process that this part has now is gone, or after `patienceMs`; undefined where it has none. */
    whenEnded(part: Part, patienceMs: number): Promise<void> | undefined {
      const id = pid(part);
      const process = id === undefined ? undefined : markProcess(id);
      return process && isAlive(process) ? until(() => !isAlive(process), patienceMs) : undefined;
    },
    /** To be called while nothing runs; the queue's goes before the broker's next start. */
    throwAway(what: Derived): void {
      if (what === 'queue') broker.wipe();
      else removeDerived(what === 'read models' ? readModelsFile(at('data')) : join(at('data'), 'relay.db'));
    },
    /** What was said about processes that ended, by the supervisor too. */
    said: () => [...log, ...readFileSync(at('services.log'), 'utf8').split('\n')],
    moveClock(role: Part, byMs: number): void {
      clocks.set(role, (clocks.get(role) ?? 0) + byMs);
      writeFileSync(join(at('clocks'), role), `${clocks.get(role)}`);
    },
    /** Never resolves. @throws CannotStart where a part of it cannot go on */
    whenFailed: () => Promise.race(Object.values(children).map((child) => child.whenFailed())),
    /** Stops all of it, once. What it has written stays until `remove`. */
    stop(): Promise<void> {
      stopping ??= stopAll();
      return stopping;
    },
    remove(): void {
      for (const disk of disks.values()) disk?.unmount();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function until(isSo: () => boolean, patienceMs: number): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  while (!isSo() && performance.now() < untilMs) await delay(LOOK_MS);
}

const newPort = () => freePort(LOOPBACK);
