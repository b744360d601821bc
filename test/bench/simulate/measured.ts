/** The processes of a node and its engines, as `npm start` starts them. */
export const PROCESSES = ['gateway', 'store', 'projectorRelay', 'broker', 'delivery'] as const;
export type ProcessName = (typeof PROCESSES)[number];

/**
 * All that the model takes from measurements; what is not measured is in `assumed.ts`. CPU in ms, of one machine: two cores of an Intel Xeon, Node 24.21.0,
 * nats-server 2.9.10, the local event store, on 24 November 2026. Where docs/performance.md has newer figures, these are to follow, all of one run: the model is held against
 * the latencies of that run (`VALIDATION`).
 */
export const MEASURED = {
  /**
   * CPU of an event with one webhook, everything under full load. Source: `npm run bench -- deliver --quick`, `cpu_ms_per_event`; docs/performance.md, "What bounds
   * it".
   */
  fullLoadMs: { gateway: 0.081, store: 0.083, projectorRelay: 0.139, broker: 0.119, delivery: 0.142 },
  /**
   * The same at 200 events/s, where each finds all asleep. Source: `npm run bench -- isolation-many --quick`, `alone cpu_share` by 200 (0.0993, 0.1347, 0.1267,
   * 0.0973, 0.1743): 1,000 webhooks, each with a host and a channel of its own.
   */
  lightLoadMs: { gateway: 0.497, store: 0.673, projectorRelay: 0.633, broker: 0.487, delivery: 0.872 },
  lightLoadPerS: 200,
  /** A POST of a bare loop, each of its two processes having a core. Source: the same run as `fullLoadMs`, 62,352/s. */
  barePostMs: 1_000 / 62_352,
  /** A transaction of 64 rows that SQLite makes durable. Source: `npm run bench -- engines --quick`, 310,495 rows/s. */
  flushMs: (64 * 1_000) / 310_495,
  /** To read a fact from the log, with nothing else to do. Source: docs/decisions/0006. */
  followFactMs: 0.0096,
  /** To append one, 50 a call. Source: docs/decisions/0006. */
  appendFactMs: 0.008,
  /** To fold one into the read models, 512 at a time. Source: docs/performance.md, "What has been done". */
  foldFactMs: 0.0066,
  /** To fold all there is to a delivery, in a node that leaves it to others; to keep the standby's relay table. Source: docs/decisions/0005, 64 webhooks a channel. */
  foldDeliveryMs: 0.075,
  standbyMs: 0.007,
  /** CPU of three nats-servers, all replicas on three, a delivery, by nodes. Source: docs/decisions/0005. */
  brokersMs: { one: 0.22, two: 0.3 },
  /** Messages a second that one client has JetStream keep, one server. Source: `npm run bench -- engines --quick`. */
  keptPerS: 47_197,
  /** Bytes of a fact in the local store's file: 20,000 of those that `history-facts.ts` writes, with 150 bytes of text each. */
  storedFactBytes: 489,
  /** Bytes of such an event and its delivery in the read models: 10,000 of them, folded and checkpointed. */
  projectedBytes: 737,
  /** Bytes of data and metadata of such a fact, without what gRPC adds. */
  sentFactBytes: 355,
  /** Bytes of a message on the broker's disk while it waits. Source: docs/operations.md, "The broker". */
  queuedBytes: 320,
} as const;

/**
 * How what projector and relay cost divides, in ms: what stays in a node that leaves the relay and the deliveries to others is the fold, all else is the relay's. One
 * event without deliveries is followed and folded; one read is followed.
 */
export const PARTS = {
  foldEventMs: MEASURED.followFactMs + MEASURED.foldFactMs,
  /** Of a delivery: its row when it is published, and its attempt. */
  foldDeliveryMs: MEASURED.foldDeliveryMs,
  readEventMs: MEASURED.followFactMs,
  publishMs:
    MEASURED.fullLoadMs.projectorRelay - 2 * MEASURED.followFactMs - MEASURED.foldFactMs - MEASURED.foldDeliveryMs,
} as const;

/**
 * How what the store costs divides, in ms a fact: to give one to a reader is taken to cost it what it costs the reader to take it, the rest is appending. One event with
 * one webhook is two facts appended, two given to a projector, one to a relay.
 */
export const STORE_PARTS = {
  giveMs: MEASURED.followFactMs,
  appendMs: (MEASURED.fullLoadMs.store - 3 * MEASURED.followFactMs) / 2,
} as const;

/**
 * What the model is held against: no figure of it goes into it. Source: docs/performance.md, and the JSON of the same run where that leaves one out.
 */
export const VALIDATION = {
  capacityPerS: 3_051,
  /** To a channel without webhooks over 64 connections, until read models and relay have taken them in. */
  settledPerS: 9_067,
  latencyMs: [
    { share: 0.1, perS: 305, p50: 2.4, p99: 10.8 },
    { share: 0.5, perS: 1_526, p50: 13.2, p99: 58.3 },
    { share: 0.9, perS: 2_746, p50: 1_272, p99: 2_549 },
  ],
} as const;
