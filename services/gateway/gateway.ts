import type { EventStore } from '../../infra/event-store/client.ts';
import { createCoalescer } from '../../infra/event-store/coalescer.ts';
import type { Keys } from '../../infra/keys.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import type { Exchange } from '../../infra/metrics/exchange.ts';
import type { Metrics } from '../../infra/metrics/metrics.ts';
import type { Destinations } from '../../infra/outbound/destinations.ts';
import type { Settings } from '../../infra/settings.ts';
import type { Progress } from '../../projections/progress.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import { type AppSettings, createApp } from './app.ts';
import { type BackpressureDeps, createBackpressure } from './backpressure.ts';
import { createBadKeys } from './bad-keys.ts';
import { createClientAddress } from './client-address.ts';
import type { Gateway } from './context.ts';
import { createFeedWaits } from './feed-waits.ts';
import { createFreshness } from './freshness.ts';
import { createKeyring } from './keyring.ts';
import { createLiveChannels } from './live-channels.ts';
import { type NodeFiguresDeps, tellNodeFigures } from './node-figures.ts';
import { createPublishRate } from './publish-rate.ts';
import { createReference } from './reference/reference.ts';
import { createRequestFigures } from './request-figures.ts';
import { GROUPS } from './routes/routes.ts';
import { createHttpServer } from './server.ts';

export interface GatewayDeps
  extends Pick<BackpressureDeps, 'relayedTo' | 'queueWait'>,
    Pick<Gateway, 'tree'>,
    Pick<NodeFiguresDeps, 'queueState' | 'checks'> {
  readonly settings: AppSettings &
    Pick<
      Settings,
      | 'port'
      | 'dataDir'
      | 'adminKey'
      | 'retentionMs'
      | 'publishLagLimitMs'
      | 'publishRateLimit'
      | 'trustedProxies'
      | 'maxConnections'
    >;
  readonly destinations: Destinations;
  readonly store: EventStore;
  readonly keys: Keys;
  readonly readModels: ReadModels;
  readonly progress: Progress;
  readonly log: Logger;
  readonly ids: () => number;
  readonly nowMs: () => number;
  readonly metrics: Metrics;
  readonly exchange: Pick<Exchange, 'all'>;
  readonly tracing?: Gateway['tracing'];
}

/** The HTTP API. */
export function createGateway(deps: GatewayDeps): Service & { readonly port: number } {
  const { settings, destinations, store, keys, readModels, tree, progress, relayedTo, queueState, queueWait } = deps;
  const { log, ids, nowMs, checks, metrics, exchange, tracing } = deps;
  const { publishLagLimitMs: limitMs, publishRateLimit, trustedProxies } = settings;
  const monotonicMs = () => performance.now();
  const freshness = createFreshness(progress);
  const backpressure = createBackpressure({
    ...{ limitMs, progress, relayedTo, queueWait, log },
    nowMs: monotonicMs,
  });
  const feedWaits = createFeedWaits({
    position: readModels.position,
    newestIn: readModels.feed.newestIn,
    nowMs: monotonicMs,
  });
  const gateway: Gateway = {
    store,
    destinations,
    coalescer: createCoalescer((stream, facts) => store.append(stream, facts, 'any')),
    readModels,
    tree,
    channels: createLiveChannels(readModels.channels, freshness),
    freshness,
    feedWaits,
    backpressure,
    keyring: createKeyring(keys),
    badKeys: createBadKeys(monotonicMs),
    clientAddress: createClientAddress(trustedProxies),
    publishRate: publishRateLimit && createPublishRate(publishRateLimit, monotonicMs),
    adminKey: settings.adminKey,
    retentionMs: settings.retentionMs,
    checks,
    figures: createRequestFigures(metrics),
    metrics: exchange.all,
    tracing,
    ids,
    nowMs,
    reference: createReference(GROUPS),
    log,
  };
  tellNodeFigures(metrics, { store, readModels, relayedTo, queueState, checks, nowMs, dataDir: settings.dataDir });
  let isStopping = false;
  const app = createApp(gateway, settings, () => isStopping);
  const server = createHttpServer(app.callback(), log, { connections: settings.maxConnections });
  return {
    name: 'gateway',
    get port() {
      return server.port;
    },
    start: () => server.listen(settings.port, settings.host),
    async stop() {
      isStopping = true;
      feedWaits.stop();
      await server.drain();
      backpressure.stop();
    },
  };
}
