import { expect } from 'chai';
import { pino } from 'pino';
import { createSweeper, type SweeperDeps } from '../../../../services/relay/sweeper.ts';
import { waitFor } from '../../../support/wait.ts';

/** A broker takes an id that it has seen for a repetition, also where it has lost the message meanwhile. */
describe('the sweeper', () => {
  it('queues what the queue has lost under another id each time', async () => {
    const ids: string[] = [];
    let nowMs = 0;
    const queue = {
      ensure: async () => {},
      renewStream: async () => {},
      // It is never the one that was known.
      state: async () => ({ incarnation: `${ids.length}`, lastSequence: 0, messages: 0, lagMs: 0 }),
      publish: async (_message: unknown, id: string) => ids.push(id),
    };
    const pending = [{ event_id: 1, webhook_id: 2, position: 3, due_ms: 4 }];
    const registry = {
      position: () => 3,
      skippedTo: () => 3,
      broker: () => ({ incarnation: 'known', last_sequence: 0 }),
      setBroker: () => {},
    };
    const sweeper = createSweeper({
      ...{ queue, marginMs: 0, nowMs: () => ++nowMs, log: pino({ enabled: false }) },
      store: { lastPosition: async () => 3 },
      progress: { whenProcessed: async () => true, current: () => 3 },
      relay: { registry, reading: () => 3 },
      readModels: { deliveries: { pending: () => pending } },
    } as unknown as SweeperDeps);
    await sweeper.start();
    await waitFor('two sweeps', () => ids.length >= 2);
    await sweeper.stop();
    expect(new Set(ids).size).to.equal(ids.length);
  });
});
