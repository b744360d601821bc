import { expect } from 'chai';
import { connectEventStore } from '../../../infra/event-store/client.ts';
import { EVENT_ID, newFact, published } from '../../support/sample.ts';
import { endAll, spawnServer, temporaryDirectory } from '../eventstore/support.ts';

/** The promise: whatever our clock says, the event store takes what we append. It is told a point in time as the deadline, and knows only its own clock. */
describe('a clock that differs from the event store by an hour', () => {
  const now = Date.now;
  afterEach(async () => {
    Date.now = now;
    await endAll();
  });

  for (const [name, shiftMs] of [
    ['behind', -3_600_000],
    ['ahead', 3_600_000],
  ] as const) {
    it(`${name}: appends go on`, async () => {
      const { port } = await spawnServer(temporaryDirectory());
      const store = connectEventStore(`esdb://127.0.0.1:${port}?tls=false`);
      Date.now = () => now() + shiftMs;
      const { revision } = await store.append('events-1', [newFact(published({ id: EVENT_ID }))], 'any');
      await store.setMaxAge('events-1', 60);
      expect(revision).to.equal(0);
      await store.close();
    });
  }
});
