import Type, { type Static } from 'typebox';
import type { Facts } from './fact.ts';
import type { Actor } from './facts.ts';
import { Closed } from './fields.ts';
import { Refusal } from './refusal.ts';

export const NewRecovery = Closed(
  {
    since: Type.String({
      format: 'date-time',
      description: 'Of events published then or later: RFC 3339.',
      examples: ['2026-11-24T00:00:00Z'],
    }),
    until: Type.Optional(Type.String({ format: 'date-time', description: 'And before then; absent: until now.' })),
    missing: Type.Optional(
      Type.Boolean({
        description: 'Whether also those that were never on their way to it, since it did not exist yet.',
      }),
    ),
  },
  'NewRecovery',
);
export type NewRecovery = Static<typeof NewRecovery>;

/** The events of a webhook that are to be delivered again: those that failed, and, with `missing`, those that were never on their way to it. */
export interface RequestedRecovery {
  readonly id: number;
  readonly channel_id: number;
  readonly webhook_id: number;
  /** Of events published from `since` on and before `until`: ISO 8601, UTC. */
  readonly since: string;
  readonly until: string;
  readonly missing: boolean;
  readonly requested_at: string;
  readonly by: Actor;
}

type About = Pick<RequestedRecovery, 'id' | 'channel_id' | 'webhook_id'>;

export type RecoveryFact = Facts<{
  RecoveryRequested: RequestedRecovery;
  /** Ids of events above all those of before, each list ascending: these are to be delivered again now. */
  EventsRecovered: About & { failed: readonly number[]; missing: readonly number[]; requested_at: string; by: Actor };
  RecoveryFinished: About & { finished_at: string; failed: number; missing: number };
}>;

export type EventsRecovered = Extract<RecoveryFact, { type: 'EventsRecovered' }>;

/** The events that are to be delivered again, ids ascending. */
export function recoveredIn({ data: { failed, missing } }: EventsRecovered): number[] {
  return [...failed, ...missing].sort((a, b) => a - b);
}

export interface StartedRecovery extends RequestedRecovery {
  readonly status: 'running' | 'finished';
  /** How many events it has found so far. */
  readonly found: { readonly failed: number; readonly missing: number };
  /** The largest id of these; 0 before the first. */
  readonly through: number;
  /** The events that it has found last. */
  readonly last: readonly number[];
  /** ISO 8601, UTC; null while it is running. */
  readonly finished_at: string | null;
}

export type Recovery = { readonly status: 'none' } | StartedRecovery;

export const NO_RECOVERY: Recovery = { status: 'none' };

export function evolveRecovery(recovery: Recovery, fact: RecoveryFact): Recovery {
  if (fact.type === 'RecoveryRequested') {
    const found = { failed: 0, missing: 0 };
    return { ...fact.data, status: 'running', found, through: 0, last: [], finished_at: null };
  }
  if (recovery.status === 'none') return recovery;
  switch (fact.type) {
    case 'EventsRecovered': {
      const { failed, missing } = fact.data;
      const last = recoveredIn(fact);
      const found = {
        failed: recovery.found.failed + failed.length,
        missing: recovery.found.missing + missing.length,
      };
      return { ...recovery, found, through: last.at(-1) ?? recovery.through, last };
    }
    case 'RecoveryFinished':
      return { ...recovery, status: 'finished', finished_at: fact.data.finished_at, last: [] };
  }
}

export type RecoveryCommand =
  | {
      readonly type: 'RequestRecovery';
      readonly id: number;
      readonly webhook: { readonly id: number; readonly channel_id: number };
      readonly wanted: NewRecovery;
      readonly atMs: number;
      readonly by: Actor;
    }
  | {
      readonly type: 'RecoverEvents';
      readonly failed: readonly number[];
      readonly missing: readonly number[];
      readonly atMs: number;
    }
  | { readonly type: 'FinishRecovery'; readonly atMs: number };

/**
 * What a command on a recovery makes happen.
 * @throws Refusal fields-invalid where its time is none
 */
export function decideRecovery(recovery: Recovery, command: RecoveryCommand): RecoveryFact[] {
  if (command.type === 'RequestRecovery') return recovery.status === 'none' ? [requested(command)] : [];
  if (recovery.status !== 'running') return [];
  const { id, channel_id, webhook_id, by, found } = recovery;
  const about = { id, channel_id, webhook_id };
  const at = new Date(command.atMs).toISOString();
  switch (command.type) {
    case 'RecoverEvents': {
      const { failed, missing } = command;
      return [{ type: 'EventsRecovered', data: { ...about, failed, missing, requested_at: at, by } }];
    }
    case 'FinishRecovery':
      return [{ type: 'RecoveryFinished', data: { ...about, finished_at: at, ...found } }];
  }
}

function requested(command: Extract<RecoveryCommand, { type: 'RequestRecovery' }>): RecoveryFact {
  const { id, webhook, wanted, atMs, by } = command;
  const sinceMs = Date.parse(wanted.since);
  const untilMs = Math.min(wanted.until === undefined ? atMs : Date.parse(wanted.until), atMs);
  if (sinceMs >= untilMs) {
    throw new Refusal('fields-invalid', 'since must lie before until, which is now unless it is given.', 'since');
  }
  const [since, until, requested_at] = [sinceMs, untilMs, atMs].map((ms) => new Date(ms).toISOString());
  const { missing = false } = wanted;
  const data = { id, channel_id: webhook.channel_id, webhook_id: webhook.id, since, until, missing, requested_at, by };
  return { type: 'RecoveryRequested', data: data as RequestedRecovery };
}

/** What is known of an event and of its delivery to the webhook of a recovery; `status` is null where there is none. */
export interface Candidate {
  readonly id: number;
  readonly published_at: string;
  readonly status: string | null;
  /** Whether the event is one that the webhook wants. */
  readonly isWanted: boolean;
}

/** Which of the events a recovery is about. */
export function sortOut(
  { since, until, missing: wantsMissing }: RequestedRecovery,
  candidates: readonly Candidate[],
): { failed: number[]; missing: number[] } {
  const inTime = candidates.filter(({ published_at }) => published_at >= since && published_at < until);
  const failed = inTime.filter(({ status }) => status === 'failed');
  const missing = inTime.filter(({ status, isWanted }) => wantsMissing && status === null && isWanted);
  return { failed: failed.map(({ id }) => id), missing: missing.map(({ id }) => id) };
}
