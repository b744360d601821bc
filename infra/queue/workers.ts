import { randomUUID } from 'node:crypto';
import type { NatsConnection } from 'nats';
import { createBroadcast } from './broadcast.ts';
import { SHARDS, shardOf, shardsOf } from './shards.ts';

/** Where workers tell each other that they are there. Nothing of it is kept: whoever does not hear it for a while takes the teller for gone. */
const SUBJECT = 'webhooks.workers';
/** How often a worker says that it is there, and for how long it counts as there after that, in ms. */
const BEAT_MS = 1_000;
const GONE_MS = 5_000;
/** How long after a worker came or went messages may come that it was handed last, in ms: longer than they wait where they are, and than they are held. */
const SETTLED_MS = 180_000;

/** Which webhooks' messages a worker takes. */
export interface Share {
  readonly shards: () => ReadonlySet<number>;
  /** Whether a webhook belongs to it. */
  readonly has: (webhookId: number) => boolean;
  /** Whether workers have been the same for so long that what comes again can only have been here before. */
  readonly isSettled: () => boolean;
  /** Calls back whenever the shards have changed, until the returned function is called. */
  readonly onChange: (changed: () => void) => () => void;
}

const ALL = new Set(Array.from({ length: SHARDS }, (_, shard) => shard));

/** The share of whoever works alone. */
export const WHOLE: Share = { shards: () => ALL, has: () => true, isSettled: () => true, onChange: () => () => {} };

/** What a worker says. */
interface Word {
  readonly worker: string;
  readonly isLeaving: boolean;
}

export type Roster = ReturnType<typeof createRoster>;

/**
 * Who works, as far as one worker has heard.
 * @param nowMs a monotonic clock
 */
export function createRoster(self: string, nowMs: () => number) {
  const heardMs = new Map<string, number>();
  const listeners = new Set<() => void>();
  let shards: ReadonlySet<number> = ALL;
  let beatMs = nowMs();
  let changedMs = Number.NEGATIVE_INFINITY;

  function divide() {
    changedMs = nowMs();
    const mine = shardsOf(self, [self, ...heardMs.keys()].toSorted());
    const isSame = mine.size === shards.size && [...mine].every((shard) => shards.has(shard));
    shards = mine;
    if (isSame) return;
    for (const changed of listeners) changed();
  }

  return {
    /** @returns whether it is somebody who was not known to be there: they do not know of this one either */
    hear({ worker, isLeaving }: Word): boolean {
      if (worker === self) return false;
      const isKnown = heardMs.has(worker);
      if (isLeaving) heardMs.delete(worker);
      else heardMs.set(worker, nowMs());
      if (isKnown === isLeaving) divide();
      return !isKnown && !isLeaving;
    },
    /** Forgets who was not heard for long, unless nobody could be: to be called every BEAT_MS. */
    beat(isConnected: boolean): void {
      const now = nowMs();
      const isDeaf = !isConnected || now - beatMs > GONE_MS / 2;
      beatMs = now;
      const gone = [...heardMs].filter(([, ms]) => !isDeaf && now - ms > GONE_MS);
      for (const [worker] of isDeaf ? heardMs : []) heardMs.set(worker, now);
      for (const [worker] of gone) heardMs.delete(worker);
      if (gone.length > 0) divide();
    },
    shards: () => shards,
    has: (webhookId: number) => shards.has(shardOf(webhookId)),
    isSettled: () => nowMs() - changedMs > SETTLED_MS,
    onChange(changed: () => void) {
      listeners.add(changed);
      return () => void listeners.delete(changed);
    },
  };
}

export type Membership = Share & { readonly leave: () => void };

/** Works from now on beside all others that are connected to the same servers, until `leave`. */
export function joinWorkers(nc: NatsConnection, isConnected: () => boolean): Membership {
  const self = randomUUID();
  const roster = createRoster(self, () => performance.now());
  const broadcast = createBroadcast<Word>(nc, SUBJECT);
  const say = (isLeaving: boolean) => broadcast.say({ worker: self, isLeaving });
  const hearNoMore = broadcast.hear((word) => {
    if (roster.hear(word)) say(false);
  });
  const beating = setInterval(() => {
    roster.beat(isConnected());
    say(false);
  }, BEAT_MS);
  beating.unref();
  say(false);
  return {
    ...roster,
    leave() {
      clearInterval(beating);
      hearNoMore();
      say(true);
    },
  };
}
