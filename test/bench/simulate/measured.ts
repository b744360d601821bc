/** The processes of a node and its engines, as `npm start` starts them; and those of the bench, which share its cores. */
export const PROCESSES = ['gateway', 'store', 'projectorRelay', 'broker', 'delivery', 'publisher', 'receiver'] as const;
export type ProcessName = (typeof PROCESSES)[number];

/**
 * All that the model takes from measurements; what is not measured is in `assumed.ts`. CPU in ms, of one machine: two cores of an AMD EPYC, Node 24.21.0,
 * nats-server 2.9.10, the local event store, on 27 November 2026. Where docs/performance.md has newer figures, these are to follow, all of one run: the model is held against
 * the latencies of that run (`VALIDATION`).
 */
export const MEASURED = {
  /**
   * CPU of an event with one webhook, everything under full load. Source: `npm run bench -- deliver`, `cpu_ms_per_event`; docs/performance.md, "What bounds
   * it".
   */
  fullLoadMs: {
    gateway: 0.105,
    store: 0.063,
    projectorRelay: 0.117,
    broker: 0.044,
    delivery: 0.15,
    publisher: 0.023,
    receiver: 0.033,
  },
  /**
   * The same at 200 events/s, where each finds all asleep. Source: `npm run bench -- isolation-many --quick`, `alone cpu_share` by 200 (0.110, 0.133, 0.153,
   * 0.105, 0.231): 1,000 webhooks, each with a host and a channel of its own.
   */
  lightLoadMs: {
    gateway: 0.55,
    store: 0.665,
    projectorRelay: 0.765,
    broker: 0.525,
    delivery: 1.155,
    publisher: 0.164,
    receiver: 0.118,
  },
  lightLoadPerS: 200,
  /** A flush of the store to its disk under full load: `fdatasync`, the mean of 648 in 4 s. */
  flushMs: 0.57,
  /** To read a fact from the log, and for the store to give it. Source: docs/performance.md, "The log verified". */
  followFactMs: 0.0059,
  giveFactMs: 0.008,
  /** To fold one into the read models. Source: docs/performance.md, "What bounds it", of the rows. */
  foldFactMs: 0.009,
  /** What a second node adds to a delivery: to fold all there is to it. Source: `npm run bench -- cluster`, 0.295 ms with two and 0.243 with one, 64 webhooks a channel. */
  foldDeliveryMs: 0.052,
  /** CPU of three nats-servers, all replicas on three, a delivery, where two nodes share the work. Source: the same. */
  brokersMs: 0.183,
  /** Messages a second that one client has JetStream keep, one server. Source: `npm run bench -- engines --quick`. */
  keptPerS: 38_929,
  /** Bytes of a fact in the local store's file: 600,000 of those that `history-facts.ts` writes, with 150 bytes of text each. */
  storedFactBytes: 501,
  /** Bytes of such an event and its delivery in what a node derives: 896 in the read models, 102 in the tree, of 300,000 of them. */
  projectedBytes: 998,
  /** Bytes of data and metadata of such a fact, without what gRPC adds. */
  sentFactBytes: 345,
  /** Bytes of a message on the broker's disk while it waits. Source: docs/operations.md, "The broker". */
  queuedBytes: 320,
} as const;

/**
 * How what projector and relay cost divides, in ms: what stays in a node that leaves the relay and the deliveries to others is the fold, all else is the relay's. One
 * event without deliveries is followed, once for both, and folded; a relay that is a process of its own has to read it.
 */
export const PARTS = {
  foldEventMs: MEASURED.followFactMs + MEASURED.foldFactMs,
  /** Of a delivery: its row when it is published, and its attempt. */
  foldDeliveryMs: MEASURED.foldDeliveryMs,
  readEventMs: MEASURED.followFactMs,
  publishMs: MEASURED.fullLoadMs.projectorRelay - MEASURED.followFactMs - MEASURED.foldFactMs - MEASURED.foldDeliveryMs,
} as const;

/** How what the store costs divides, in ms a fact. One event with one webhook is two facts appended, and given to projector and relay together. */
export const STORE_PARTS = {
  giveMs: MEASURED.giveFactMs,
  appendMs: MEASURED.fullLoadMs.store / 2 - MEASURED.giveFactMs,
} as const;

/**
 * What the model is held against: no figure of it goes into it. Source: docs/performance.md, and the JSON of the same run where that leaves one out.
 */
export const VALIDATION = {
  capacityPerS: 3_627,
  /** To a channel without webhooks over 64 connections, until read models and relay have taken them in. */
  settledPerS: 9_236,
  latencyMs: [
    { share: 0.1, perS: 363, p50: 2.4, p99: 15.6 },
    { share: 0.5, perS: 1_813, p50: 14.7, p99: 52.6 },
    { share: 0.9, perS: 3_264, p50: 157, p99: 453 },
  ],
} as const;
