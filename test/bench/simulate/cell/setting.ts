import type { ProcessName } from '../measured.ts';

/** What processes cost: of a turn of their event loop, and of what an event with one webhook gives them to do beside that, in ms of CPU. */
export interface Costs {
  readonly turnMs: Readonly<Record<ProcessName, number>>;
  readonly eventMs: Readonly<Record<ProcessName, number>>;
}

/** As the bench has it: everything, load generator and receiver too, on the same cores. */
export interface OneMachine {
  readonly kind: 'one';
  readonly cores: number;
}

/** As an installation has it: each node, the leading server of the store and that of the broker on cores of their own; publishers and receivers are elsewhere. */
export interface ManyMachines {
  readonly kind: 'many';
  readonly nodeCores: number;
  readonly storeCores: number;
  readonly brokerCores: number;
  /** From one machine to another, one way, in ms. */
  readonly networkMs: number;
  /** What a server does for a message or a fact that others keep as well, by what it does alone. */
  readonly replicating: number;
}

/** `steady`: events are due one as long after the other as the rate says, and sent when a timer of whole ms fires; `random`: a Poisson process. */
export type Load =
  | { readonly kind: 'steady' | 'random'; readonly perS: number }
  | { readonly kind: 'closed'; readonly width: number };

export interface CellSetting {
  readonly costs: Costs;
  readonly machines: OneMachine | ManyMachines;
  readonly nodes: number;
  /** Whether the relay has a process of its own; else it shares one with the projector, as `npm start` has it. */
  readonly relayApart: boolean;
  readonly channels: number;
  readonly webhooksEach: number;
  /** How unevenly events go to channels: the exponent of their Zipf distribution. */
  readonly exponent: number;
  /** Shares of the webhooks that answer 500, and that do not answer. */
  readonly failing: number;
  readonly hanging: number;
  /** How long a receiver takes to answer where that takes none of our cores, in ms. */
  readonly answerMs: number;
  readonly load: Load;
  /** For how long events are published, in ms; it ends when all are delivered. */
  readonly durationMs: number;
  readonly seed: number;
}

export interface Webhook {
  readonly id: number;
  readonly shard: number;
  readonly kind: 'healthy' | 'failing' | 'hanging';
}

export interface Channel {
  readonly index: number;
  readonly webhooks: readonly Webhook[];
}

export interface Event {
  readonly channel: Channel;
  /** When it should have been published. */
  readonly dueMs: number;
}

export interface Delivery {
  readonly event: Event;
  readonly webhook: Webhook;
  /** Where its event is in the log. */
  readonly position: number;
  posts: number;
}
