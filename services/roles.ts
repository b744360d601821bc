import { type Running, type Service, startAll } from '../infra/lifecycle.ts';
import { METRICS } from '../infra/metrics/names.ts';
import { createDestinations } from '../infra/outbound/destinations.ts';
import type { Settings } from '../infra/settings.ts';
import { createHouse, type House } from './house.ts';
import type { RelayNote } from './relay/registry.ts';

/** In the order in which they start: the projector makes the database that the others read. */
export const ROLES = ['projector', 'relay', 'delivery', 'gateway'] as const;
export type Role = (typeof ROLES)[number];

/** Runs these roles in this process, against the event store and the queue of the settings, until `stop`. */
export async function runRoles(roles: readonly Role[], settings: Settings): Promise<RunningRoles> {
  const house = createHouse(roles.join('+'), settings);
  let port: number | undefined;
  const services = ROLES.filter((role) => roles.includes(role)).map((role) => lazily(role, () => BUILD[role](house)));
  const running = await startAll([house, house.exchange, ...services]);
  for (const service of services) port ??= service.port();
  house.log.info({ roles, port }, 'started');
  return { ...running, whenLost: house.whenLost, ...(port !== undefined && { port }) };
}

export interface RunningRoles extends Running {
  readonly port?: number;
  /** Resolves with why they have to be stopped and started again. */
  readonly whenLost: Promise<Error>;
}

type Build = (house: House) => Promise<Service & { readonly port?: number }>;

/** What each role is made of. Loaded only where the role runs, so that a process holds no more than it needs. */
const BUILD: { readonly [R in Role]: Build } = {
  async projector({ settings, store, metrics, log }) {
    const { createKeeper } = await import('./projector/keeper.ts');
    const facts = metrics.counter(METRICS.factsProjected);
    const duration = metrics.histogram(METRICS.projectionDuration);
    const onBatch = (count: number, tookMs: number) => {
      facts.inc(count);
      duration.observe(tookMs / 1_000);
    };
    return createKeeper({ dataDir: settings.dataDir, store, log, onBatch });
  },

  async relay(house) {
    const {
      db,
      readModels,
      store,
      queue: connected,
      node,
      settings,
      keys,
      writableTree,
      tree,
      nowMs,
      metrics,
      tracing,
      log,
      times,
    } = house;
    const { createLease } = await import('../infra/queue/lease.ts');
    const { createNotary } = await import('./notary/notary.ts');
    const { createLeadership } = await import('./relay/leadership.ts');
    const { createEraser } = await import('./relay/eraser.ts');
    const { createRecoverer } = await import('./relay/recoverer.ts');
    const { createRegistry, openRegistry } = await import('./relay/registry.ts');
    const { createRelay } = await import('./relay/relay.ts');
    const { createResumer } = await import('./relay/resumer.ts');
    const { createSweeper } = await import('./relay/sweeper.ts');
    const { createTeller } = await import('./relay/teller.ts');
    const { models, progress } = await readModels();
    const queue = await connected();
    const registry = openRegistry(db('relay', createRegistry));
    const lease = createLease<RelayNote>({
      ...{ records: queue.records, key: 'relay', node: node() },
      nowMs: () => performance.now(),
    });
    const leadership = createLeadership({ lease, ownNote: registry.note, log });
    metrics.lookUp(METRICS.relayLeads, () => (leadership.isLeading() ? 1 : 0));
    const relay = createRelay({ registry, leadership, store, queue, tracing: tracing(), log });
    const resumer = createResumer({ queue, readModels: models, progress, relay, log });
    const sweeper = createSweeper({
      ...{ store, queue, readModels: models, progress, relay, resumer, log, nowMs },
      marginMs: times.sweepMarginMs,
    });
    const recoverer = createRecoverer({
      ...{ store, queue, readModels: models, progress, relay, log, nowMs },
      retentionMs: settings.retentionMs,
    });
    const eraser = createEraser({
      ...{ store, readModels: models, progress, tree, relay, log, nowMs },
      retentionMs: settings.retentionMs,
    });
    const teller = createTeller({ store, readModels: models, progress, relay, log, nowMs });
    const notary = createNotary({
      ...{ ...writableTree, store, key: keys.treeHeadKey(), isLeading: leadership.isLeading },
      ...{ intervalMs: settings.treeHeadIntervalMs, nowMs, log },
    });
    return together('relay', [leadership, relay, resumer, sweeper, recoverer, teller, eraser, notary]);
  },

  async delivery({ readModels, store, queue, keys, settings, nowMs, metrics, tracing, log, times }) {
    const { createDelivery } = await import('./delivery/delivery.ts');
    const { createOutbound } = await import('../infra/outbound/post.ts');
    const { createTunnel } = await import('../infra/outbound/tunnel.ts');
    const { models, progress } = await readModels();
    const { deliveryTimeoutMs: timeoutMs, deliveryProxy } = settings;
    const tunnel = deliveryProxy === undefined ? undefined : createTunnel(deliveryProxy, { timeoutMs, log });
    const outbound = createOutbound({ timeoutMs, destinations: createDestinations(settings), tunnel });
    const { patienceMs, ackWaitMs } = times;
    const delivery = createDelivery({
      ...{ store, queue: await queue(), readModels: models, progress, outbound, keys, policy: settings },
      autoPauseAfterMs: settings.autoPauseAfterMs,
      ...{ patienceMs, ackWaitMs, nowMs, metrics, tracing: tracing(), log },
    });
    return together('delivery', [{ name: 'outbound', start: async () => {}, stop: outbound.close }, delivery]);
  },

  async gateway(house) {
    const { readModels, tree, relayedTo, store, queue, keys, settings, nowMs, log, ids, nodeNumber, times } = house;
    const { createGateway } = await import('./gateway/gateway.ts');
    const numbered = await nodeNumber();
    const { models, progress } = await readModels();
    // Until then no ids are made. Where that takes long there is more to say than that.
    await progress.whenProcessed(numbered.position, times.patienceMs);
    let isQueueConnected = () => false;
    // The gateway takes events without the queue: it only tells whether it is there.
    queue().then((connected) => {
      isQueueConnected = connected.isConnected;
    }, log.error);
    const checks = {
      eventstore: async () => void (await store.lastPosition()),
      nats: async () => {
        if (!isQueueConnected()) throw new Error('not connected');
      },
    };
    return createGateway({
      settings,
      destinations: createDestinations(settings),
      store,
      keys,
      readModels: models,
      tree,
      progress,
      relayedTo,
      queueState: async () => (await queue()).state(),
      queueWait: async () => (await queue()).waits(),
      log,
      metrics: house.metrics,
      exchange: house.exchange,
      tracing: house.tracing(),
      ids: ids(numbered, { models, progress }),
      nowMs,
      checks,
    });
  },
};

/** A service that is built only when its turn to start has come. */
function lazily(name: string, build: () => ReturnType<Build>) {
  let built: Awaited<ReturnType<Build>> | undefined;
  return {
    name,
    port: () => built?.port,
    async start() {
      built = await build();
      await built.start();
    },
    async stop() {
      await built?.stop();
    },
  };
}

function together(name: string, services: readonly Service[]): Service {
  let running: Awaited<ReturnType<typeof startAll>> | undefined;
  return {
    name,
    async start() {
      running = await startAll(services);
    },
    async stop() {
      await running?.stop();
    },
  };
}
