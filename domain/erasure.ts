import type { KeyOfChannel } from './channel.ts';
import type { Facts, MadeWith } from './fact.ts';
import type { Actor, Fact } from './facts.ts';
import { Refusal } from './refusal.ts';

/** How many facts of a kind are erased. */
export interface Erased {
  readonly events: number;
  readonly attempts: number;
  readonly webhooks: number;
  /** Of all kinds, these among them. */
  readonly facts: number;
}

/** A stream and the first of its revisions that is not erased. */
export interface ErasedStream {
  readonly stream: string;
  readonly before: number;
}

/** The erasure of a deleted channel: asked for, carried out step by step, finished. */
export type ErasureFact = Facts<{
  /** All that is known of the channel from here on is in this fact. Its key still tells who may ask how far it is. */
  ErasureRequested: { channel_id: number; requested_at: string; by: Actor; key_version: number } & MadeWith;
  /** Events of the channel with ids below `below`, and what became of them, leave the read models. */
  EventsErased: { channel_id: number; below: number };
  /** What these streams held when the log ended at `up_to` may go: its remains are in the log. `erased` counts all that was erased so far. */
  StreamsErased: { channel_id: number; streams: readonly ErasedStream[]; up_to: number; erased: Erased };
  ErasureFinished: { channel_id: number; finished_at: string; erased: Erased };
}>;

export interface StartedErasure {
  readonly status: 'running' | 'finished';
  readonly channel_id: number;
  readonly requested_at: string;
  readonly by: Actor;
  readonly erased: Erased;
  /** ISO 8601, UTC; null while it is running. */
  readonly finished_at: string | null;
}

export type Erasure = { readonly status: 'none' } | StartedErasure;

export const NO_ERASURE: Erasure = { status: 'none' };

const NOTHING_ERASED: Erased = { events: 0, attempts: 0, webhooks: 0, facts: 0 };

export function evolveErasure(erasure: Erasure, fact: ErasureFact): Erasure {
  if (fact.type === 'ErasureRequested') {
    const { channel_id, requested_at, by } = fact.data;
    return { status: 'running', channel_id, requested_at, by, erased: NOTHING_ERASED, finished_at: null };
  }
  if (erasure.status === 'none') return erasure;
  switch (fact.type) {
    case 'EventsErased':
      return erasure;
    // Also of one that was finished: what reached the log later is erased as well.
    case 'StreamsErased':
      return { ...erasure, status: 'running', erased: fact.data.erased, finished_at: null };
    case 'ErasureFinished':
      return { ...erasure, status: 'finished', erased: fact.data.erased, finished_at: fact.data.finished_at };
  }
}

export type ErasureCommand =
  | {
      readonly type: 'RequestErasure';
      readonly channel: KeyOfChannel;
      readonly atMs: number;
      readonly by: Actor;
    }
  | { readonly type: 'EraseEvents'; readonly below: number }
  | {
      readonly type: 'EraseStreams';
      readonly streams: readonly ErasedStream[];
      readonly upTo: number;
      readonly erased: Erased;
    }
  | { readonly type: 'FinishErasure'; readonly atMs: number; readonly erased: Erased };

/**
 * What a command on an erasure makes happen.
 * @throws Refusal channel-not-found where it was asked for before
 */
export function decideErasure(erasure: Erasure, command: ErasureCommand): ErasureFact[] {
  if (command.type === 'RequestErasure') {
    if (erasure.status !== 'none') throw new Refusal('channel-not-found', 'The channel was erased.');
    const { id: channel_id, key_version, key_made_with } = command.channel;
    const requested_at = new Date(command.atMs).toISOString();
    const made_with = key_made_with ?? undefined;
    return [{ type: 'ErasureRequested', data: { channel_id, requested_at, by: command.by, key_version, made_with } }];
  }
  if (erasure.status === 'none') return [];
  const { channel_id } = erasure;
  switch (command.type) {
    case 'EraseEvents':
      return [{ type: 'EventsErased', data: { channel_id, below: command.below } }];
    case 'EraseStreams': {
      const { streams, upTo, erased } = command;
      return [{ type: 'StreamsErased', data: { channel_id, streams, up_to: upTo, erased } }];
    }
    case 'FinishErasure': {
      const finished_at = new Date(command.atMs).toISOString();
      return [{ type: 'ErasureFinished', data: { channel_id, finished_at, erased: command.erased } }];
    }
  }
}

/** Facts by type. */
export type TypeCounts = Readonly<Record<string, number>>;

const COUNTED = {
  events: 'EventPublished',
  attempts: 'DeliveryAttempted',
  webhooks: 'WebhookCreated',
} as const satisfies Record<string, Fact['type']>;

/** What many counts by type come to. */
export function erasedIn(all: readonly TypeCounts[]): Erased {
  const sum = (of: (counts: TypeCounts) => number) => all.reduce((total, counts) => total + of(counts), 0);
  const ofType = (type: string) => sum((counts) => counts[type] ?? 0);
  return {
    events: ofType(COUNTED.events),
    attempts: ofType(COUNTED.attempts),
    webhooks: ofType(COUNTED.webhooks),
    facts: sum((counts) => Object.values(counts).reduce((total, count) => total + count, 0)),
  };
}
