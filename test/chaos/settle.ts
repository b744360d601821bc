import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'nats';
import type { EventStore } from '../../infra/event-store/client.ts';
import { connectQueue } from '../../infra/queue/client.ts';
import { openForReading } from '../../infra/sqlite.ts';
import { readModelsFile } from '../../projections/generations.ts';
import { readModels } from '../../projections/read-models.ts';

const LOOK_MS = 250;
/** How long the queue may take to hand back what is over already, in ms. */
const QUEUE_MS = 30_000;
const SILENT = { warn() {}, error() {}, info() {} } as unknown as Parameters<typeof connectQueue>[1]['log'];

type InDir = { readonly dataDir: string };

interface Left {
  readonly pending: number;
  readonly position: number;
  readonly head: number;
}

/**
 * Resolves once every delivery of the log is over; undefined then, else what was left after `patienceMs`.
 */
export async function whenSettled(stack: InDir, store: EventStore, patienceMs: number): Promise<Left | undefined> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const left = await whatIsLeft(stack, store);
    if (left.pending === 0 && left.position >= left.head && left.head >= 0) return undefined;
    if (performance.now() > untilMs) return left;
    await delay(LOOK_MS);
  }
}

async function whatIsLeft({ dataDir }: InDir, store: EventStore): Promise<Left> {
  const head = await store.lastPosition().catch(() => -1);
  const db = openForReading(readModelsFile(dataDir));
  if (!db) return { pending: -1, position: -1, head };
  try {
    const { deliveries, position } = readModels(db);
    return { pending: deliveries.countPending(), position: position(), head };
  } finally {
    db.close();
  }
}

/** Resolves once the queue is empty, with the number of messages that it still holds after a while: they are sent back to wait by a clock that was moved. */
export async function whenQueueEmpty(stack: { readonly natsUrl: () => string }): Promise<number> {
  const queue = await connectQueue(stack.natsUrl(), { ackWaitMs: 10_000, log: SILENT });
  const untilMs = performance.now() + QUEUE_MS;
  try {
    for (;;) {
      const { messages } = await queue.state().catch(() => ({ messages: -1 }));
      if (messages === 0 || performance.now() > untilMs) return messages;
      await delay(LOOK_MS);
    }
  } finally {
    await queue.close();
  }
}

/** What the broker itself says of the queue. */
export async function queueState({ natsUrl }: { readonly natsUrl: () => string }): Promise<object> {
  const nc = await connect({ servers: natsUrl() });
  try {
    const jsm = await nc.jetstreamManager();
    const [stream] = await jsm.streams.list().next();
    const consumers = stream ? await jsm.consumers.list(stream.config.name).next() : [];
    const holding = consumers.filter(({ num_pending, num_ack_pending }) => num_pending + num_ack_pending > 0);
    return { ...stream?.state, holding: holding.map((consumer) => ({ ...consumer, config: undefined })) };
  } catch (error) {
    return { error: `${error}` };
  } finally {
    await nc.close();
  }
}
