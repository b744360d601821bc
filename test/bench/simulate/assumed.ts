/** What the model needs and nobody has measured here: to be replaced by figures of the installation that it is to tell about. */
export const ASSUMED = {
  /** Cores of each node, of each server of the event store and of each of the broker: as few as do not bound a cell of three nodes. */
  cores: 2,
  /** One way between two machines of a site, in ms. */
  networkMs: 0.25,
  /** How long receivers take to answer, in ms. */
  answerMs: 20,
  /** What the leading server takes of the CPU that all servers of the broker take; the event store's is taken to be the same. */
  leadersShare: 0.5,
  /** How much of what a cell can carry it is given: what remains is for peaks, and for the loss of a node. */
  utilization: 0.5,
  /** Bytes of a POST to a receiver, headers and TLS included, beside the event's data. */
  postOverheadBytes: 800,
  /** For how many days facts are kept. */
  keptDays: 90,
} as const;

/** Currency units; placeholders to put one's own contract into, no claim about any. */
export interface Prices {
  readonly coreHour: number;
  readonly gibMonth: number;
  readonly gibSentOut: number;
}

export const PRICES: Prices = { coreHour: 0.04, gibMonth: 0.1, gibSentOut: 0.08 };
