import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIds } from '../../../domain/ids.ts';
import { connectEventStore, type EventStore } from '../../../infra/event-store/client.ts';
import { createKeys } from '../../../infra/keys.ts';
import { startEventstore } from '../../../infra/local/eventstore/eventstore.ts';
import { createLog } from '../../../infra/log.ts';
import { readSettings } from '../../../infra/settings.ts';
import { openDerived } from '../../../infra/sqlite.ts';
import { createProgress } from '../../../projections/progress.ts';
import { createReadModels, readModels } from '../../../projections/read-models.ts';
import { createGateway, type GatewayDeps } from '../../../services/gateway/gateway.ts';
import { createProjector } from '../../../services/projector/projector.ts';
import { apiAt } from '../../support/api.ts';
import { ANYWHERE } from '../../support/destinations.ts';
import { NO_CHECKS, NO_EXCHANGE, NO_QUEUE } from '../../support/figures.ts';

export type InProcess = Awaited<ReturnType<typeof startInProcess>>;

/**
 * A gateway in this process, over a real event store and real read models, whose parts a test may stop, and whose clock and
 * appends it may bend.
 */
export async function startInProcess() {
  const dataDir = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  const eventstore = await startEventstore({ dataDir, host: '127.0.0.1', port: 0, maxAppendSize: 1024 * 1024 });
  const store = connectEventStore(`esdb://127.0.0.1:${eventstore.port}?tls=false`);
  const db = openDerived(join(dataDir, 'read-models.db'));
  const log = createLog('test', 'silent');
  createReadModels(db);
  const models = readModels(db);
  const clock = { aheadMs: 0, patienceMs: 0 };
  const nowMs = () => Date.now() + clock.aheadMs;
  const ids = createIds(0, nowMs);
  const bent: { append: EventStore['append'] } = { append: store.append };
  const checks = { ...NO_CHECKS, eventstore: async () => void (await store.lastPosition()) };

  const newProjector = () => createProjector({ db, store, log });
  let projector = newProjector();
  await projector.start();

  async function startGateway(port = 0, settings: Partial<GatewayDeps['settings']> = {}) {
    const gateway = createGateway({
      destinations: ANYWHERE,
      settings: { ...readSettings({ PORT: String(port), PUBLISH_LAG_LIMIT: '0s' }), ...settings },
      store: { ...store, append: (...args) => bent.append(...args) },
      keys: createKeys(['a master secret of more than thirty-two characters']),
      readModels: models,
      tree: () => undefined,
      progress: createProgress(models.position, -1, () => performance.now() + clock.patienceMs),
      ...NO_QUEUE,
      ...NO_EXCHANGE,
      ...{ log, ids, nowMs, checks },
    });
    await gateway.start();
    return { ...apiAt(`http://127.0.0.1:${gateway.port}`), port: gateway.port, stop: gateway.stop };
  }

  return {
    store,
    clock,
    startGateway,
    /** Whether the read models have it. */
    hasWebhook: (id: number): boolean => models.webhooks.byId(id) !== undefined,
    /** As the read models have it. */
    keyVersionOf: (channelId: number): number | undefined => models.channels.byId(channelId)?.key_version,
    /** The next appends go through this instead. */
    bend(
      append: (
        original: EventStore['append'],
        ...args: Parameters<EventStore['append']>
      ) => ReturnType<EventStore['append']>,
    ) {
      bent.append = (...args) => append(store.append, ...args);
    },
    straighten() {
      bent.append = store.append;
    },
    stopProjector: () => projector.stop(),
    async startProjector() {
      projector = newProjector();
      await projector.start();
    },
    async stop() {
      await projector.stop();
      await store.close();
      await eventstore.stop();
      db.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
