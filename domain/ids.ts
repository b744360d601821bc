/** 2025-01-01T00:00:00Z: ids count milliseconds from here, 41 bits of them (until 2094). */
export const ID_EPOCH_MS = 1_735_689_600_000;

/** 5 bits of node number and 7 bits of counter stand below the milliseconds: 53 bits in all. */
export const NODES = 32;
const IDS_PER_MS = 128;
/** The last of them is left to ids that follow from the log (`followingId`): no node makes it by itself. */
const MADE_PER_MS = IDS_PER_MS - 1;
const TICK = NODES * IDS_PER_MS;

/**
 * Makes ids that are unique across nodes and increase with time, at most 2^53-1, after Twitter's Snowflake.
 * A clock that stands still or steps back never repeats an id: they go on from the last one.
 * @param node number of this node, 0 to 31
 * @param nowMs the clock, in ms since the epoch
 * @param floor an id that all new ones must exceed, such as the largest one in the log
 */
export function createIds(node: number, nowMs: () => number, floor = 0): () => number {
  let tick = Math.floor(floor / TICK);
  let counter = MADE_PER_MS - 1;
  return () => {
    const now = nowMs() - ID_EPOCH_MS;
    if (now > tick) {
      tick = now;
      counter = 0;
    } else if (++counter === MADE_PER_MS) {
      tick += 1;
      counter = 0;
    }
    return tick * TICK + node * IDS_PER_MS + counter;
  };
}

/**
 * The next id of what follows from the log: whoever reads the same facts comes to the same ids.
 * @param last the one before; 0 where there was none
 * @param atMs when what it is of happened, in ms since the epoch: 32 of a ms; more of them go on into the next
 */
export function followingId(last: number, atMs: number): number {
  const earliest = Math.max(0, atMs - ID_EPOCH_MS) * NODES;
  const nth = Math.max(earliest, Math.floor(last / IDS_PER_MS) + 1);
  return nth * IDS_PER_MS + MADE_PER_MS;
}

/** When an id was made, in ms since the epoch. */
export function idTimeMs(id: number): number {
  return Math.floor(id / TICK) + ID_EPOCH_MS;
}

/** The lowest id that is made at a time, in ms since the epoch. */
export function firstIdAt(ms: number): number {
  return Math.min(Math.max(0, (ms - ID_EPOCH_MS) * TICK), Number.MAX_SAFE_INTEGER);
}

/** What a derived fact id is of. */
const FACT_KIND = {
  ChannelCreated: 1,
  WebhookCreated: 2,
  EventPublished: 3,
  RequestAccepted: 4,
  GuidReserved: 5,
  PublisherKeyRotated: 6,
  SubscriberKeyRotated: 7,
  SigningSecretRotated: 8,
  RedeliveryRequested: 9,
  RecoveryRequested: 10,
  WebhookPaused: 11,
  ErasureRequested: 12,
} as const;

/**
 * The UUID (version 8, RFC 9562) of a fact that brings the resource `id` into being, or that the request of this id makes happen: the same for every
 * repetition of the append, so that the store recognises it.
 * @param after revision of the stream that it is appended to, where the same may happen to a resource again; of large ones the last 20 bits count
 */
export function factId(type: keyof typeof FACT_KIND, id: number, after = 0): string {
  const hex = id.toString(16).padStart(14, '0');
  const kind = FACT_KIND[type].toString(16).padStart(3, '0');
  const nth = (after % 2 ** 20).toString(16).padStart(5, '0');
  return `77656268-${hex.slice(0, 4)}-8${kind}-a${nth.slice(0, 3)}-${nth.slice(3)}${hex.slice(4)}`;
}

/**
 * A UUID (version 7, RFC 9562) whose order is that of time, made from a random one: an index of those made one after the other grows at its end, and not
 * everywhere.
 */
export function timeOrdered(randomUuid: string, atMs: number): string {
  const ms = atMs.toString(16).padStart(12, '0');
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7${randomUuid.slice(15)}`;
}
