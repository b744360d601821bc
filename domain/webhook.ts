import Type, { type Static } from 'typebox';
import { EventNames } from './event-names.ts';
import type { Facts, MadeWith, Nothing } from './fact.ts';
import { Clearable, Closed, DESTINATION, HttpUrl, realChanges, withChanges } from './fields.ts';
import { Refusal } from './refusal.ts';
import { type SealedHeaders, WebhookHeaders } from './webhook-headers.ts';

const Name = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Name of the subscriber.',
  examples: ['subscriber name'],
});
const WebhookUrl = HttpUrl('Where events are POSTed to: http or https, without user info.', {
  [DESTINATION]: true,
  examples: ['http://subscriber.com/webhook_url'],
});

/** How deliveries are signed (Standard Webhooks): `v1` under the signing secret, `v1a` under the Ed25519 key whose public half everybody may read. */
// With their type, since ajv holds each item against every other one where it does not know it.
const Signatures = Type.Array(Type.Enum(['v1', 'v1a'], { type: 'string' }), {
  minItems: 1,
  maxItems: 2,
  uniqueItems: true,
  description: 'How deliveries are signed: `v1` (HMAC-SHA-256, the default), `v1a` (Ed25519), or both.',
});

/** What a webhook is sent: the events that are published, or what happens to the other webhooks of its channel. */
const Kind = Type.Enum(['events', 'operational'], {
  type: 'string',
  description:
    'What it is sent: `events` (the default), or what happens to the other webhooks of its channel. Fixed once it is created.',
});

/** While it is paused, its deliveries wait. */
const Paused = Type.Boolean({ description: 'Whether its deliveries wait until it is resumed.' });

export const NewWebhook = Closed(
  {
    name: Type.Optional(Name),
    webhook_url: WebhookUrl,
    event_names: Type.Optional(EventNames),
    headers: Type.Optional(WebhookHeaders),
    signatures: Type.Optional(Signatures),
    kind: Type.Optional(Kind),
    paused: Type.Optional(Paused),
  },
  'NewWebhook',
);
export type NewWebhook = Static<typeof NewWebhook>;

export const WebhookChanges = Closed(
  {
    name: Clearable(Name),
    webhook_url: Type.Optional(WebhookUrl),
    event_names: Clearable(EventNames),
    headers: Clearable(WebhookHeaders),
    signatures: Clearable(Signatures),
    paused: Type.Optional(Paused),
  },
  'WebhookChanges',
);
export type WebhookChanges = Static<typeof WebhookChanges>;

/** With the values of headers sealed: what facts may hold. Whether it is paused they say beside its fields, and its kind only where that is not the default. */
export type WebhookFields = Readonly<
  Omit<NewWebhook, 'headers' | 'paused' | 'kind'> & { headers?: SealedHeaders; kind?: 'operational' }
>;
export type SealedWebhookChanges = Omit<WebhookChanges, 'headers' | 'paused'> & { headers?: SealedHeaders | null };

/** Why a webhook is paused: somebody asked for it, or it failed for too long (AUTO_PAUSE_AFTER). */
export const PAUSE_REASONS = ['requested', 'failing'] as const;
export type PauseReason = (typeof PAUSE_REASONS)[number];

export type WebhookFact = Facts<{
  WebhookCreated: { id: number; channel_id: number; fields: WebhookFields; paused?: true } & MadeWith;
  WebhookUpdated: { changes: SealedWebhookChanges };
  WebhookPaused: { reason: PauseReason; failing_since?: string };
  WebhookResumed: { at: string };
  SubscriberKeyRotated: { key_version: number } & MadeWith;
  SigningSecretRotated: { secret_version: number; previous_until: string } & MadeWith;
  WebhookDeleted: Nothing;
}>;

export interface LiveWebhook {
  readonly status: 'live';
  readonly id: number;
  readonly channel_id: number;
  readonly fields: WebhookFields;
  /** Why it is paused; null where it is not. */
  readonly pause: PauseReason | null;
  /** When it was last resumed: ISO 8601, UTC; null where it never was. */
  readonly resumed_at: string | null;
  /** Version of the subscriber key, from 1. */
  readonly key_version: number;
  /** Name of the master secret that it was made with; null where that has none. */
  readonly key_made_with: string | null;
  readonly secret: SecretVersion;
  /** The secrets before it that may still sign along, the newest first. */
  readonly previous_secrets: readonly PreviousSecret[];
}

export interface SecretVersion {
  /** From 1. */
  readonly version: number;
  /** Name of the master secret that it was made with; null where that has none. */
  readonly made_with: string | null;
}

export interface PreviousSecret extends SecretVersion {
  /** Until when it signs along: ISO 8601, UTC. */
  readonly until: string;
}

export interface DeletedWebhook {
  readonly status: 'deleted';
  readonly id: number;
  readonly channel_id: number;
}

export type Webhook = { readonly status: 'none' } | LiveWebhook | DeletedWebhook;

export const NO_WEBHOOK: Webhook = { status: 'none' };

export function evolveWebhook(webhook: Webhook, fact: WebhookFact): Webhook {
  if (fact.type === 'WebhookCreated') {
    const { made_with = null, paused = false, ...created } = fact.data;
    const secret = { version: 1, made_with };
    const pause = paused ? 'requested' : null;
    return {
      status: 'live',
      ...created,
      pause,
      resumed_at: null,
      key_version: 1,
      key_made_with: made_with,
      secret,
      previous_secrets: [],
    };
  }
  if (webhook.status !== 'live') return webhook;
  switch (fact.type) {
    case 'WebhookUpdated':
      return { ...webhook, fields: withChanges<WebhookFields>(webhook.fields, fact.data.changes) };
    case 'WebhookPaused':
      return { ...webhook, pause: fact.data.reason };
    case 'WebhookResumed':
      return { ...webhook, pause: null, resumed_at: fact.data.at };
    case 'SubscriberKeyRotated':
      return { ...webhook, key_version: fact.data.key_version, key_made_with: fact.data.made_with ?? null };
    case 'SigningSecretRotated':
      return withSecret(webhook, fact.data);
    case 'WebhookDeleted':
      return { status: 'deleted', id: webhook.id, channel_id: webhook.channel_id };
  }
}

type Rotated = Extract<WebhookFact, { type: 'SigningSecretRotated' }>['data'];

/** The secret before this one signs along, and so do those before it until their own time is over. */
function withSecret(webhook: LiveWebhook, { secret_version, previous_until, made_with }: Rotated): LiveWebhook {
  const earlier = webhook.previous_secrets.filter(
    ({ until }) => Date.parse(until) > Date.parse(previous_until) - SECRET_OVERLAP_MS,
  );
  const previous_secrets = [{ ...webhook.secret, until: previous_until }, ...earlier].slice(0, MAX_PREVIOUS);
  return { ...webhook, secret: { version: secret_version, made_with: made_with ?? null }, previous_secrets };
}

export type WebhookCommand =
  | {
      readonly type: 'CreateWebhook';
      readonly id: number;
      readonly channelId: number;
      readonly fields: WebhookFields;
      readonly paused?: boolean | undefined;
      readonly madeWith: string;
    }
  | {
      readonly type: 'UpdateWebhook';
      readonly changes: SealedWebhookChanges;
      readonly paused?: boolean | undefined;
      readonly atMs: number;
    }
  | {
      readonly type: 'PauseFailing';
      /** ISO 8601, UTC. */
      readonly failingSince: string;
      readonly atMs: number;
      /** How long it may fail. */
      readonly afterMs: number;
    }
  | { readonly type: 'RotateSubscriberKey'; readonly madeWith: string }
  | { readonly type: 'RotateSigningSecret'; readonly atMs: number; readonly madeWith: string }
  | { readonly type: 'DeleteWebhook' };

/** How long the old signing secret signs along after a rotation, in ms. */
const SECRET_OVERLAP_MS = 24 * 3_600_000;
/** The most old secrets that sign along: each is one more signature in the header. */
const MAX_PREVIOUS = 4;

/**
 * What a command on a webhook makes happen.
 * @throws Refusal webhook-exists, webhook-not-found
 */
export function decideWebhook(webhook: Webhook, command: WebhookCommand): WebhookFact[] {
  if (command.type === 'CreateWebhook') {
    if (webhook.status !== 'none') throw new Refusal('webhook-exists', `Webhook ${command.id} exists already.`);
    const { id, channelId: channel_id, fields, paused, madeWith: made_with } = command;
    const data = { id, channel_id, fields, ...(paused && { paused: true as const }), made_with };
    return [{ type: 'WebhookCreated', data }];
  }
  if (webhook.status !== 'live') throw new Refusal('webhook-not-found', 'There is no such webhook.');
  switch (command.type) {
    case 'UpdateWebhook': {
      const changes = realChanges(webhook.fields, command.changes);
      const updated: WebhookFact = { type: 'WebhookUpdated', data: { changes } };
      return [...(Object.keys(changes).length === 0 ? [] : [updated]), ...pausing(webhook, command)];
    }
    case 'PauseFailing':
      return pausingFailing(webhook, command);
    case 'RotateSubscriberKey':
      return [
        { type: 'SubscriberKeyRotated', data: { key_version: webhook.key_version + 1, made_with: command.madeWith } },
      ];
    case 'RotateSigningSecret': {
      const previous_until = new Date(command.atMs + SECRET_OVERLAP_MS).toISOString();
      const secret_version = webhook.secret.version + 1;
      return [{ type: 'SigningSecretRotated', data: { secret_version, previous_until, made_with: command.madeWith } }];
    }
    case 'DeleteWebhook':
      return [{ type: 'WebhookDeleted', data: {} }];
  }
}

function pausing(
  { pause }: LiveWebhook,
  { paused, atMs }: { paused?: boolean | undefined; atMs: number },
): WebhookFact[] {
  if (paused === undefined || paused === (pause !== null)) return [];
  if (paused) return [{ type: 'WebhookPaused', data: { reason: 'requested' } }];
  return [{ type: 'WebhookResumed', data: { at: new Date(atMs).toISOString() } }];
}

/** What it failed before it was resumed counts no more. */
function pausingFailing(
  { pause, resumed_at }: LiveWebhook,
  { failingSince, atMs, afterMs }: Extract<WebhookCommand, { type: 'PauseFailing' }>,
): WebhookFact[] {
  const sinceMs = Math.max(Date.parse(failingSince), resumed_at === null ? 0 : Date.parse(resumed_at));
  if (pause !== null || atMs - sinceMs < afterMs) return [];
  return [{ type: 'WebhookPaused', data: { reason: 'failing', failing_since: failingSince } }];
}
