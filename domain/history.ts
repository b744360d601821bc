import type { ChannelFact } from './channel.ts';
import type { Actor, RecordedFact } from './facts.ts';
import type { SealedWebhookChanges, WebhookFact } from './webhook.ts';

/** One change of a channel or webhook: who made it, when, and what it changed. */
export interface Change {
  readonly revision: number;
  readonly type: (ChannelFact | WebhookFact)['type'];
  /** When the store took it: ISO 8601, UTC. */
  readonly recorded_at: string;
  readonly by: Actor;
  readonly request_id: string;
  readonly changes: Changes;
}

/** The fields that a creation set, those that a change set or (null) cleared, or the version of a new key or secret. */
type Changes = { readonly [field: string]: unknown };

/** A fact as the history shows it: of headers, whose values are secret, the names. */
export function changeOf(fact: RecordedFact<ChannelFact | WebhookFact>): Change {
  const { revision, type, recordedAtMs, metadata } = fact;
  return {
    ...{ revision, type, recorded_at: new Date(recordedAtMs).toISOString() },
    ...{ by: metadata.by, request_id: metadata.$causationId, changes: changesIn(fact) },
  };
}

function changesIn(fact: ChannelFact | WebhookFact): Changes {
  switch (fact.type) {
    case 'ChannelCreated':
      return { ...fact.data.fields };
    case 'ChannelUpdated':
      return { ...fact.data.changes };
    case 'WebhookCreated':
      return { ...withHeaderNames(fact.data.fields), ...(fact.data.paused && { paused: true }) };
    case 'WebhookUpdated':
      return withHeaderNames(fact.data.changes);
    case 'WebhookPaused':
      return { paused: true, ...fact.data };
    case 'WebhookResumed':
      return { paused: false };
    case 'PublisherKeyRotated':
    case 'SubscriberKeyRotated':
      return { key_version: fact.data.key_version };
    case 'SigningSecretRotated':
      return { secret_version: fact.data.secret_version, previous_until: fact.data.previous_until };
    case 'ChannelDeleted':
    case 'WebhookDeleted':
      return {};
  }
}

function withHeaderNames({ headers, ...rest }: SealedWebhookChanges): Changes {
  return headers ? { ...rest, headers: Object.keys(headers) } : headers === null ? { ...rest, headers } : rest;
}

/**
 * The facts, in log order, that were there at a time, in ms since the epoch: those before the first that the store took later. Where its clock was set back in
 * between, what was there is still a beginning of the log.
 */
export function factsUntil<F extends Pick<RecordedFact, 'recordedAtMs'>>(
  facts: readonly F[],
  atMs: number,
): readonly F[] {
  const end = facts.findIndex(({ recordedAtMs }) => recordedAtMs > atMs);
  return end < 0 ? facts : facts.slice(0, end);
}
