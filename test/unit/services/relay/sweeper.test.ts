import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { pino } from 'pino';
import type { EventStore } from '../../../../infra/event-store/client.ts';
import type { Queue, QueueState } from '../../../../infra/queue/client.ts';
import { createProgress } from '../../../../projections/progress.ts';
import { createReadModels, readModels } from '../../../../projections/read-models.ts';
import { createRegistry, openRegistry } from '../../../../services/relay/registry.ts';
import { createSweeper } from '../../../../services/relay/sweeper.ts';
import { waitFor } from '../../../support/wait.ts';

describe('the sweeper', () => {
  const STATE: QueueState = {
    ...{ incarnation: 'the one', lastSequence: 5, messages: 0, stuck: 0 },
    ...{ handedOut: 5, isAsked: true, lagMs: 0 },
  };
  let db: DatabaseSync;
  let relayDb: DatabaseSync;
  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    relayDb = new DatabaseSync(':memory:');
    createReadModels(db);
    createRegistry(relayDb);
  });
  afterEach(() => {
    db.close();
    relayDb.close();
  });

  it('takes no broker for one that has forgotten because the relay went on while it was asked', async () => {
    const registry = openRegistry(relayDb);
    registry.setBroker({ incarnation: STATE.incarnation, last_sequence: STATE.lastSequence });
    let renewed = 0;
    let sweeps = 0;
    const queue = {
      ensure: async () => {},
      async state() {
        registry.begin();
        registry.commit(1, STATE.lastSequence + 2);
        return STATE;
      },
      async renewStream() {
        renewed += 1;
      },
    };
    const models = readModels(db);
    const store = {
      async lastPosition() {
        sweeps += 1;
        return -1;
      },
    };
    const sweeper = createSweeper({
      ...{ store: store as Partial<EventStore> as EventStore, queue: queue as Partial<Queue> as Queue },
      ...{ readModels: models, progress: createProgress(models.position), relay: { registry, reading: () => 1 } },
      ...{ log: pino({ enabled: false }), nowMs: () => 0, marginMs: 1_000 },
    });
    await sweeper.start();
    await waitFor('a sweep', () => sweeps > 0);
    await sweeper.stop();
    expect(renewed).to.equal(0);
    expect(registry.broker()).to.include({ incarnation: STATE.incarnation, last_sequence: STATE.lastSequence + 2 });
  });
});
