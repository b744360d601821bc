import Type, { type Static } from 'typebox';
import type { Facts, Nothing } from './fact.ts';
import { Clearable, Closed, DESTINATION, HttpUrl, realChanges, withChanges } from './fields.ts';
import { Refusal } from './refusal.ts';

const Name = Type.String({ minLength: 1, maxLength: 255, description: 'Name of the subscriber.' });
const WebhookUrl = HttpUrl('Where events are POSTed to: http or https, without user info.', { [DESTINATION]: true });

export const NewWebhook = Closed({ name: Type.Optional(Name), webhook_url: WebhookUrl });
export type NewWebhook = Static<typeof NewWebhook>;

export const WebhookChanges = Closed({ name: Clearable(Name), webhook_url: Type.Optional(WebhookUrl) });
export type WebhookChanges = Static<typeof WebhookChanges>;

export type WebhookFields = Readonly<NewWebhook>;

export type WebhookFact = Facts<{
  WebhookCreated: { id: number; channel_id: number; fields: WebhookFields };
  WebhookUpdated: { changes: WebhookChanges };
  SubscriberKeyRotated: { key_version: number };
  SigningSecretRotated: { secret_version: number; previous_until: string };
  WebhookDeleted: Nothing;
}>;

export interface LiveWebhook {
  readonly status: 'live';
  readonly id: number;
  readonly channel_id: number;
  readonly fields: WebhookFields;
  /** Version of the subscriber key, from 1. */
  readonly key_version: number;
  /** Version of the signing secret, from 1. */
  readonly secret_version: number;
  /** Until when (ISO 8601) the secret before this one signs along; null where there is none. */
  readonly previous_secret_until: string | null;
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
    return { status: 'live', ...fact.data, key_version: 1, secret_version: 1, previous_secret_until: null };
  }
  if (webhook.status !== 'live') return webhook;
  switch (fact.type) {
    case 'WebhookUpdated':
      return { ...webhook, fields: withChanges<WebhookFields>(webhook.fields, fact.data.changes) };
    case 'SubscriberKeyRotated':
      return { ...webhook, key_version: fact.data.key_version };
    case 'SigningSecretRotated':
      return {
        ...webhook,
        secret_version: fact.data.secret_version,
        previous_secret_until: fact.data.previous_until,
      };
    case 'WebhookDeleted':
      return { status: 'deleted', id: webhook.id, channel_id: webhook.channel_id };
  }
}

export type WebhookCommand =
  | { readonly type: 'CreateWebhook'; readonly id: number; readonly channelId: number; readonly fields: NewWebhook }
  | { readonly type: 'UpdateWebhook'; readonly changes: WebhookChanges }
  | { readonly type: 'RotateSubscriberKey' }
  | { readonly type: 'RotateSigningSecret'; readonly atMs: number }
  | { readonly type: 'DeleteWebhook' };

/** How long the old signing secret signs along after a rotation, in ms. */
const SECRET_OVERLAP_MS = 24 * 3_600_000;

/**
 * What a command on a webhook makes happen.
 * @throws Refusal webhook-exists, webhook-not-found
 */
export function decideWebhook(webhook: Webhook, command: WebhookCommand): WebhookFact[] {
  if (command.type === 'CreateWebhook') {
    if (webhook.status !== 'none') throw new Refusal('webhook-exists', `Webhook ${command.id} exists already.`);
    const { id, channelId: channel_id, fields } = command;
    return [{ type: 'WebhookCreated', data: { id, channel_id, fields } }];
  }
  if (webhook.status !== 'live') throw new Refusal('webhook-not-found', 'There is no such webhook.');
  switch (command.type) {
    case 'UpdateWebhook': {
      const changes = realChanges(webhook.fields, command.changes);
      return Object.keys(changes).length === 0 ? [] : [{ type: 'WebhookUpdated', data: { changes } }];
    }
    case 'RotateSubscriberKey':
      return [{ type: 'SubscriberKeyRotated', data: { key_version: webhook.key_version + 1 } }];
    case 'RotateSigningSecret': {
      const previous_until = new Date(command.atMs + SECRET_OVERLAP_MS).toISOString();
      const secret_version = webhook.secret_version + 1;
      return [{ type: 'SigningSecretRotated', data: { secret_version, previous_until } }];
    }
    case 'DeleteWebhook':
      return [{ type: 'WebhookDeleted', data: {} }];
  }
}
