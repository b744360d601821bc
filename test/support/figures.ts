import { createMetrics } from '../../infra/metrics/metrics.ts';
import type { QueueState } from '../../infra/queue/client.ts';

/** A queue that nobody has put anything on. */
const NOTHING_QUEUED: QueueState = {
  ...{ incarnation: '', server: '', lastSequence: 0, messages: 0, untaken: 0, stuck: 0 },
  ...{ handedOut: 0, isAsked: true, lagMs: 0 },
};

/** What a gateway knows of such a queue, and of the relay beside it: nothing. */
export const NO_QUEUE = {
  relayedTo: () => undefined,
  queueState: async () => NOTHING_QUEUED,
  queueWait: async () => NOTHING_QUEUED,
};

/** Checks of what is always there. */
export const NO_CHECKS = { eventstore: async () => {}, nats: async () => {} };

/** What a gateway without other processes beside it works with. */
export const NO_EXCHANGE = {
  get metrics() {
    return createMetrics();
  },
  exchange: { all: async () => '' },
};
