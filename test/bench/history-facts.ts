import { join } from 'node:path';
import { type Fact, stream } from '../../domain/facts.ts';
import { openStore, type Store } from '../../infra/local/eventstore/store/store.ts';
import {
  attempted,
  CHANNEL_ID,
  channelCreated,
  DELIVERED,
  newFact,
  published,
  WEBHOOK_ID,
  webhookCreated,
} from '../support/sample.ts';

/** Facts of one append. */
const BATCH = 1_000;
/** Far below the ids that a gateway makes today. */
const FIRST_EVENT_ID = 1_000_000;
const PROGRESS_MS = 10_000;

/** Adds to the event store of a data directory, which nobody has open, until it holds a past of `to` facts: events of one channel, each delivered at once. */
export function writeHistory(dataDir: string, { from, to }: { from: number; to: number }): void {
  const store = openStore(join(dataDir, 'eventstore'));
  let saidMs = performance.now();
  try {
    if (from === 0) {
      append(store, stream.channel(CHANNEL_ID), 0, [channelCreated()]);
      append(store, stream.webhook(WEBHOOK_ID), 0, [webhookCreated()]);
    }
    for (let written = from; written < to; written += 2 * BATCH) {
      const ids = Array.from({ length: BATCH }, (_, i) => FIRST_EVENT_ID + written + i);
      append(
        store,
        stream.events(CHANNEL_ID),
        written,
        ids.map((id) => published({ id, data: { text: 'x'.repeat(150) } })),
      );
      append(
        store,
        stream.deliveries(CHANNEL_ID),
        written,
        ids.map((event_id) => attempted({ event_id, ...DELIVERED })),
      );
      if (performance.now() - saidMs < PROGRESS_MS) continue;
      saidMs = performance.now();
      console.log(`  ${written} of ${to} facts written`);
    }
  } finally {
    store.close();
  }
}

/** @param first tells the ids of these facts from those of all others of the stream */
function append(store: Store, name: string, first: number, facts: readonly Fact[]) {
  const events = facts
    .map((fact, i) => newFact<Fact>(fact, first + i))
    .map(({ id, type, data, metadata }) => ({
      ...{ id: Buffer.from(id.replaceAll('-', ''), 'hex'), type, json: true },
      ...{ data: Buffer.from(JSON.stringify(data)), metadata: Buffer.from(JSON.stringify(metadata)) },
    }));
  const fail = (error: Error) => {
    throw error;
  };
  store.write({ run: (writes) => writes.append(name, 'any', events), done: () => {}, fail });
  store.flush();
}
