import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { createIds } from '../domain/ids.ts';
import { connectEventStore } from '../infra/event-store/client.ts';
import { StoreUnavailable } from '../infra/event-store/errors.ts';
import { measured } from '../infra/event-store/measured.ts';
import { createKeys } from '../infra/keys.ts';
import { createLog, type Logger } from '../infra/log.ts';
import { createExchange } from '../infra/metrics/exchange.ts';
import { createMetrics } from '../infra/metrics/metrics.ts';
import { tellProcessFigures } from '../infra/metrics/process-figures.ts';
import { connectQueue, type Queue } from '../infra/queue/client.ts';
import { connectionOptions } from '../infra/queue/connection.ts';
import { SettingError, type Settings } from '../infra/settings.ts';
import { startTracing, type Tracing } from '../infra/tracing/tracing.ts';
import { createProgress, type Progress } from '../projections/progress.ts';
import type { ReadModels } from '../projections/read-models.ts';
import { openOrRebuild, Unusable } from './derived-file.ts';
import { nodeIn } from './node-id.ts';
import { type TakenNumber, takeNodeNumber } from './node-number.ts';
import { openReader } from './read-model-reader.ts';
import { openRelayReader } from './relay-reader.ts';
import { openTreeReader, writableTree } from './tree.ts';

/** How long an append may take, in ms, so that who waits for it has an answer within 5 s; see `connectEventStore`. */
const APPEND_DEADLINE_MS = 4_800;
/** How long an answer's body is read past its headers, in ms; see `createOutbound`. */
const BODY_MS = 1_000;
/**
 * How long a worker may be silent about a message before the queue hands it out again, in ms. It tells the queue three times in that time that it
 * still holds it, so that an attempt may take far longer and a crash still costs only these seconds.
 */
const ACK_WAIT_MS = 10_000;

export type House = ReturnType<typeof createHouse>;

type Numbered = Pick<TakenNumber, 'number' | 'position' | 'isOurs'>;

/**
 * What the services of one process share: connections, keys, clock and ids, each made when it is first asked for and closed
 * when the process stops.
 * @throws SettingError where a setting is absent that a service cannot do without
 */
export function createHouse(name: string, settings: Settings) {
  const log = createLog(name, settings.logLevel);
  const closing: (() => void)[] = [];
  const lost = Promise.withResolvers<Error>();
  const releasing: (() => Promise<void>)[] = [];
  const nowMs = () => Date.now();
  const metrics = createMetrics();
  tellProcessFigures(metrics);
  const connected = connectEventStore(required('EVENTSTORE_URL', settings.eventstoreUrl), APPEND_DEADLINE_MS);
  const store = measured(connected, metrics);
  const natsUrl = required('NATS_URL', settings.natsUrl);
  const access = connectionOptions(settings);
  const keys = keysOf(settings);
  log.info({ master_secrets: keys.names }, 'the master secrets by their names, the first makes what is new');
  const relayReader = openRelayReader(settings.dataDir);
  const treeReader = openTreeReader(settings.dataDir);
  closing.push(relayReader.close, treeReader.close);
  const longestAttemptMs = settings.deliveryTimeoutMs + BODY_MS + APPEND_DEADLINE_MS;
  let tracing: Tracing | undefined;
  let queue: Promise<Queue> | undefined;
  let models: Promise<{ models: ReadModels; progress: Progress }> | undefined;

  async function openReadModels() {
    const opened = await openReader(settings.dataDir, log);
    closing.push(opened.close);
    const head = await onceStoreIsThere(store.lastPosition, log);
    return { models: opened.models, progress: createProgress(opened.models.position, head) };
  }

  async function connectToQueue(): Promise<Queue> {
    const connected = await connectQueue(natsUrl, {
      ackWaitMs: ACK_WAIT_MS,
      log,
      replicas: settings.natsReplicas,
      access,
    });
    connected.whenLost().then((cause) => lost.resolve(new Error('NATS has refused this process', { cause })));
    return connected;
  }

  return {
    name: 'connections',
    async start() {
      tracing = await startTracing(settings, name, log);
    },
    /** Resolves with why this process has to end, since what it lost does not come back by itself. */
    whenLost: lost.promise,
    async stop() {
      await (await queue)?.close();
      for (const release of releasing) await release();
      await tracing?.stop();
      await store.close();
      for (const close of closing) close();
    },

    settings,
    log,
    metrics,
    /** Undefined where there are no traces. Once it has started. */
    tracing: (): Tracing | undefined => tracing,
    /** The figures of all processes that share the DATA_DIR. */
    exchange: createExchange({ dataDir: settings.dataDir, name, metrics, log }),
    nowMs,
    store,
    /** Which node this is, the same after each restart: what shares a DATA_DIR is one. */
    node: (): string => nodeIn(settings.dataDir),
    keys,
    /** Times that follow from the settings, in ms. */
    times: {
      ackWaitMs: ACK_WAIT_MS,
      /** How long a delivery waits for the read models before it is sent back. */
      patienceMs: APPEND_DEADLINE_MS,
      sweepMarginMs: 2 * (longestAttemptMs + ACK_WAIT_MS),
    },
    queue: (): Promise<Queue> => {
      queue ??= connectToQueue();
      return queue;
    },
    /** Opens a small database that this process writes. @param prepare makes its tables; may throw Unusable */
    db(database: string, prepare: (db: DatabaseSync) => void): DatabaseSync {
      const db = openOrRebuild(join(settings.dataDir, `${database}.db`), log, (opened) => {
        refuseDamaged(opened);
        prepare(opened);
      });
      closing.push(() => db.close());
      return db;
    },
    /** Opens the read models, once the projector has made them. */
    readModels: () => {
      models ??= openReadModels();
      return models;
    },
    /** Where in the log the relay of this DATA_DIR is; undefined where there is none. @throws Error where its table cannot be read */
    relayedTo: relayReader.position,
    /** The tree over the log: for the notary, and, undefined until that has made it, for readers. */
    writableTree: writableTree(settings.dataDir, log),
    tree: treeReader.queries,
    /** Takes a number for the ids of this node, once the store is there. @throws CannotStart */
    async nodeNumber(): Promise<Numbered> {
      const { nodeNumber: number } = settings;
      if (number !== undefined) return { number, position: -1, isOurs: () => true };
      const monotonicMs = () => performance.now();
      const deps = { store, node: nodeIn(settings.dataDir), nowMs, monotonicMs, log };
      const taken = await onceStoreIsThere(() => takeNodeNumber(deps), log);
      releasing.push(taken.release);
      return taken;
    },
    /**
     * Ids above all that the read models know. Until those hold what the log held when this process started they are asked anew each time: a clock that
     * was set back makes no larger ones by itself.
     */
    ids(
      { number, position, isOurs }: Numbered,
      { models, progress }: { models: ReadModels; progress: Progress },
    ): () => number {
      const { channels, webhooks, events, recoveries, erasures, expiries } = models;
      let isBehind = true;
      let last = 0;
      let next = () => last;
      return () => {
        if (!isOurs()) throw new StoreUnavailable(new Error(`the node number ${number} may be another node's by now`));
        if (isBehind) {
          if (progress.reached() < position) throw new StoreUnavailable(new Error('the read models are behind'));
          isBehind = progress.reached() < progress.head;
          const largest = Math.max(
            last,
            ...[channels, webhooks, events, recoveries, erasures, expiries].map((of) => of.largestId()),
          );
          next = createIds(number, nowMs, largest);
        }
        last = next();
        return last;
      };
    },
  };
}

function required(name: string, value: string | undefined): string {
  if (value === undefined) throw new SettingError(name, 'is needed where a service runs by itself');
  return value;
}

/** MASTER_SECRET is the oldest, and the one that is meant where facts name none. */
function keysOf({ masterSecret, masterSecrets = [] }: Settings) {
  if (masterSecrets.length === 0) return createKeys([required('MASTER_SECRET', masterSecret)]);
  if (masterSecret === undefined || masterSecrets.includes(masterSecret))
    return createKeys(masterSecrets, masterSecret);
  return createKeys([...masterSecrets, masterSecret], masterSecret);
}

/** What the store answers, as soon as it does. @throws whatever does not say that it is away */
async function onceStoreIsThere<T>(ask: () => Promise<T>, log: Logger): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      log.warn({ err: error }, 'waiting for the event store');
      await delay(LOOK_MS);
    }
  }
}

/** How long to wait before the event store is asked again, in ms. */
const LOOK_MS = 20;

/** The check of all there is: these are small. */
function refuseDamaged(db: DatabaseSync): void {
  const { quick_check } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
  if (quick_check !== 'ok') throw new Unusable(quick_check);
}
