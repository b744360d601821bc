import { randomUUID } from 'node:crypto';
import {
  type Channel,
  type ChannelCommand,
  type ChannelFact,
  decideChannel,
  evolveChannel,
  NO_CHANNEL,
} from '../../domain/channel.ts';
import {
  decideErasure,
  type Erasure,
  type ErasureCommand,
  type ErasureFact,
  evolveErasure,
  NO_ERASURE,
} from '../../domain/erasure.ts';
import { type Actor, FACT_VERSION, type Fact, type NewFact } from '../../domain/facts.ts';
import {
  decideGuid,
  evolveGuid,
  FREE_GUID,
  type GuidCommand,
  type GuidFact,
  type GuidReservation,
} from '../../domain/guid.ts';
import { factId } from '../../domain/ids.ts';
import {
  decideRecovery,
  evolveRecovery,
  NO_RECOVERY,
  type Recovery,
  type RecoveryCommand,
  type RecoveryFact,
} from '../../domain/recovery.ts';
import {
  decideWebhook,
  evolveWebhook,
  NO_WEBHOOK,
  type Webhook,
  type WebhookCommand,
  type WebhookFact,
} from '../../domain/webhook.ts';
import { type EventStore, NO_STREAM_YET } from '../../infra/event-store/client.ts';
import { WrongRevision } from '../../infra/event-store/errors.ts';
import { Problem } from './problems.ts';

/** What decides on a stream. */
export interface Aggregate<S, F extends Fact, C> {
  readonly nothing: S;
  readonly evolve: (state: S, fact: F) => S;
  readonly decide: (state: S, command: C) => F[];
}

export const CHANNEL: Aggregate<Channel, ChannelFact, ChannelCommand> = {
  nothing: NO_CHANNEL,
  evolve: evolveChannel,
  decide: decideChannel,
};
export const WEBHOOK: Aggregate<Webhook, WebhookFact, WebhookCommand> = {
  nothing: NO_WEBHOOK,
  evolve: evolveWebhook,
  decide: decideWebhook,
};
export const GUID: Aggregate<GuidReservation, GuidFact, GuidCommand> = {
  nothing: FREE_GUID,
  evolve: evolveGuid,
  decide: decideGuid,
};

export const RECOVERY: Aggregate<Recovery, RecoveryFact, RecoveryCommand> = {
  nothing: NO_RECOVERY,
  evolve: evolveRecovery,
  decide: decideRecovery,
};

export const ERASURE: Aggregate<Erasure, ErasureFact, ErasureCommand> = {
  nothing: NO_ERASURE,
  evolve: evolveErasure,
  decide: decideErasure,
};

/** Who makes facts happen, and about which resource or event. */
export interface Stamp {
  readonly about: number;
  readonly requestId: string;
  readonly by: Actor;
  /** Of the request's span: kept with what goes on in its trace. */
  readonly traceparent?: string | undefined;
}

/** Facts that bring something into being: a repetition makes the same fact again, and the store recognises it. */
const CREATING = ['ChannelCreated', 'WebhookCreated', 'EventPublished', 'RequestAccepted', 'GuidReserved'] as const;
type Creating = (typeof CREATING)[number];

export function newFact<F extends Fact>(fact: F, { about, requestId, by, traceparent }: Stamp): NewFact<F> {
  const isCreating = (CREATING as readonly string[]).includes(fact.type);
  const id = isCreating ? factId(fact.type as Creating, about) : randomUUID();
  const asked = { $correlationId: String(about), $causationId: requestId, version: FACT_VERSION, by };
  const metadata = traceparent === undefined ? asked : { ...asked, traceparent };
  return { ...fact, id, metadata };
}

/** What a command left behind. */
export interface Carried<S> {
  readonly state: S;
  /** Position of the stream's last fact. */
  readonly position: number;
}

/** How often a command is decided anew because others changed the stream in between. */
const TRIES = 10;

/**
 * Carries a command out: folds the stream, decides, and appends if nobody was faster, else decides again.
 * @param once id of the one fact that it makes: where the stream has it, the command was carried out before, and what that left behind is returned
 * @throws what the decider throws; Problem contended; StoreUnavailable
 */
export async function carryOut<S, F extends Fact, C>(
  store: EventStore,
  stream: string,
  { nothing, evolve, decide }: Aggregate<S, F, C>,
  command: C | ((state: S) => Promise<C>),
  stamp: Stamp,
  { isNew = false, once }: { isNew?: boolean; once?: string } = {},
): Promise<Carried<S>> {
  for (let tries = 0; tries < TRIES; tries++) {
    const recorded = isNew && tries === 0 ? [] : await store.read<F>(stream);
    const before = once === undefined ? -1 : recorded.findIndex(({ id }) => id === once);
    if (before >= 0)
      return { state: recorded.slice(0, before + 1).reduce<S>(evolve, nothing), position: lastOf(recorded) };
    const state = recorded.reduce<S>(evolve, nothing);
    const decided = typeof command === 'function' ? await (command as (state: S) => Promise<C>)(state) : command;
    const facts = decide(state, decided);
    if (facts.length === 0) return { state, position: lastOf(recorded) };
    try {
      const news = facts.map((fact) => ({ ...newFact<Fact>(fact, stamp), ...(once !== undefined && { id: once }) }));
      const { position } = await store.append(stream, news, recorded.at(-1)?.revision ?? NO_STREAM_YET);
      return { state: facts.reduce(evolve, state), position };
    } catch (error) {
      if (!(error instanceof WrongRevision)) throw error;
    }
  }
  throw new Problem('contended', 'Others changed the same thing at the same time. Try again.');
}

/** A resource as its first fact made it; undefined where it was never created. @throws StoreUnavailable */
export async function asCreated<S, F extends Fact, C>(
  store: EventStore,
  stream: string,
  { nothing, evolve }: Aggregate<S, F, C>,
): Promise<Carried<S> | undefined> {
  const recorded = await store.read<F>(stream);
  const [first] = recorded;
  return first && { state: evolve(nothing, first), position: lastOf(recorded) };
}

function lastOf(recorded: readonly { readonly position: number }[]): number {
  return recorded.at(-1)?.position ?? -1;
}
