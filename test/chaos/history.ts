/** What a round has seen from outside. All times are the harness's own, in ms since the epoch: no fault moves that clock. */
export interface History {
  readonly publishes: PublishTry[];
  readonly changes: Change[];
  readonly hits: Hit[];
  readonly troubles: Trouble[];
}

export const newHistory = (): History => ({ publishes: [], changes: [], hits: [], troubles: [] });

/** One request to publish and what was answered. */
export interface PublishTry {
  /** The event's `ext_ref_code`: the same for all tries of one event, and for no other event. */
  readonly ref: string;
  readonly channelId: number;
  readonly key: string | undefined;
  /** Counts the tries of one ref from 1. */
  readonly nth: number;
  readonly sentMs: number;
  readonly endedMs: number;
  /** 0 where there was no answer. */
  readonly status: number;
  readonly id: number | undefined;
}

/** A request to make, change or delete a channel or webhook. `id` is unknown where a creation had no answer. */
export interface Change {
  readonly what: 'ChannelCreated' | 'ChannelDeleted' | 'WebhookCreated' | 'WebhookUpdated' | 'WebhookDeleted';
  readonly id: number | undefined;
  readonly sentMs: number;
  readonly endedMs: number;
  readonly status: number;
}

/** One POST that a receiver got whole. */
export interface Hit {
  readonly eventId: number;
  readonly webhookId: number;
  /** The `webhook-timestamp` header: the attempt's time by the clock of delivery, in s. */
  readonly timestampS: number;
  readonly path: string;
  readonly body: string;
  readonly atMs: number;
  /** The status that it was, or was to be, answered with; null for none. */
  readonly status: number | null;
  /** Whether it came on a connection for itself: a second try of a POST whose kept connection was closed without a word. */
  readonly isSecondTry?: boolean;
}

export const PARTS = ['gateway', 'delivery', 'projector+relay', 'supervisor', 'eventstore', 'nats-server'] as const;
export type Part = (typeof PARTS)[number];

/** A time in which a part was not itself. */
export interface Trouble {
  readonly part: Part;
  /** The fault that made it, in words. */
  readonly what: string;
  /** How it ended in that time: killed, what it held in memory is gone; told to stop, it had the time to finish. */
  readonly ended?: 'killed' | 'told' | undefined;
  readonly fromMs: number;
  /** Infinity while it lasts. */
  toMs: number;
}
