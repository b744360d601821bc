import Type from 'typebox';
import { type PublishedEvent, ping } from '../../../domain/event.ts';
import { stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { factId } from '../../../domain/ids.ts';
import {
  type LiveWebhook,
  NewWebhook,
  PAUSE_REASONS,
  type Webhook,
  WebhookChanges,
  type WebhookCommand,
} from '../../../domain/webhook.ts';
import { asCreated, carryOut, WEBHOOK } from '../commands.ts';
import type { Gateway } from '../context.ts';
import type { Keyring } from '../keyring.ts';
import { At, Revision, webhookThen } from '../past.ts';
import { publishAll } from '../publishing.ts';
import { DEFAULT_LIMIT, listQuery } from '../query.ts';
import { Page, type Request, route } from '../route.ts';
import { Deleted, EventAnswer, NoFields, Past, Time, WebhookId } from './answers.ts';

const COLLECTION = '/v1/channels/:channel/webhooks';
const ITEM = `${COLLECTION}/:webhook`;

/** Whether deliveries wait, and why. */
const Pause = {
  paused: Type.Boolean({ description: 'Whether its deliveries wait.', examples: [false] }),
  pause_reason: Type.Optional(Type.Enum([...PAUSE_REASONS], { description: 'Why it is paused.' })),
};

export const WebhookAnswer = Type.Object(
  {
    id: WebhookId,
    ...NewWebhook.properties,
    ...Pause,
    failing_since: Type.Union([Time, Type.Null()], {
      description: 'When the first attempt failed since one succeeded; null where the last one did.',
      examples: [null],
    }),
    subscriber_key: Type.String({
      description: 'What the subscriber authenticates with.',
      examples: ['sk_ab043192b979363020879c5bb873616ec1ff2a12'],
    }),
    signing_secret: Type.String({
      description: 'What deliveries are signed with: `whsec_` and base64.',
      examples: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    }),
  },
  { title: 'Webhook' },
);

/** Without its key and secret, which are those of today, and the values of its headers. */
export const PastWebhook = Type.Object(
  {
    id: WebhookId,
    name: NewWebhook.properties.name,
    webhook_url: NewWebhook.properties.webhook_url,
    event_names: NewWebhook.properties.event_names,
    headers: Type.Optional(Type.Array(Type.String(), { description: 'Their names.' })),
    signatures: NewWebhook.properties.signatures,
    kind: NewWebhook.properties.kind,
    ...Pause,
    ...Past,
  },
  { title: 'PastWebhook' },
);
const PublicKeys = Type.Object(
  {
    public_keys: Type.Array(Type.String({ examples: ['whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='] }), {
      description: '`whpk_` and base64. The first signs; after a rotation those before it sign along for 24 hours.',
    }),
  },
  { title: 'PublicKeys' },
);

export const webhookRoutes = [
  route({
    method: 'POST',
    path: COLLECTION,
    access: 'publisher',
    operation: 'createWebhook',
    summary: 'Create a webhook',
    problems: ['webhook-exists'],
    body: NewWebhook,
    hashedAs: ({ headers, ...body }, { keyring }) => ({
      ...body,
      headers: headers && Object.entries(headers).map(([name, value]) => [name, keyring.blinded(value)]),
    }),
    answer: WebhookAnswer,
    location: ({ id }, { channel }) => `/v1/channels/${channel?.id}/webhooks/${id}`,
    handle: createWebhook,
  }),
  route({
    method: 'GET',
    path: COLLECTION,
    access: 'publisher',
    operation: 'listWebhooks',
    summary: 'List the webhooks of a channel',
    query: listQuery(DEFAULT_LIMIT),
    answer: Type.Array(WebhookAnswer),
    handle({ channel, query: { after, limit = DEFAULT_LIMIT } }, gateway) {
      const found = gateway.readModels.webhooks.page(channel.id, { after, limit: limit + 1 });
      return new Page(
        found.map((webhook) => presentAnswer(webhook, gateway)),
        limit,
        ({ id }) => id,
      );
    },
  }),
  route({
    method: 'GET',
    path: ITEM,
    access: 'webhook-owner',
    operation: 'getWebhook',
    summary: 'Read a webhook',
    problems: ['not-there-then'],
    query: Closed({ at: At, revision: Revision }),
    answer: Type.Union([WebhookAnswer, PastWebhook]),
    async handle({ webhook, query }, gateway) {
      if (query.at === undefined && query.revision === undefined) return presentAnswer(webhook, gateway);
      const { state, revision, recorded_at } = await webhookThen(gateway.store, webhook.id, query);
      return { ...pastFields(state), revision, recorded_at };
    },
  }),
  route({
    method: 'PUT',
    path: ITEM,
    access: 'webhook-owner',
    operation: 'updateWebhook',
    summary: 'Change a webhook',
    body: WebhookChanges,
    answer: WebhookAnswer,
    async handle({ channel, webhook: { id }, body, requestId, by }, gateway) {
      const { store, channels, keyring, nowMs } = gateway;
      const { paused, ...changes } = body;
      const stamp = { about: id, requestId, by };
      const command = async (webhook: Webhook): Promise<WebhookCommand> => ({
        ...{ type: 'UpdateWebhook', paused, atMs: nowMs() },
        changes: webhook.status === 'live' ? keyring.sealChanges(webhook, changes) : {},
      });
      const { state, position } = await carryOut(store, stream.webhook(id), WEBHOOK, command, stamp);
      channels.changed(channel.id, position);
      return presentAnswer(state as LiveWebhook, gateway);
    },
  }),
  route({
    method: 'DELETE',
    path: ITEM,
    access: 'webhook-owner',
    operation: 'deleteWebhook',
    summary: 'Delete a webhook',
    answer: Deleted,
    async handle({ channel, webhook: { id }, requestId, by }, { store, channels }) {
      const stamp = { about: id, requestId, by };
      const { position } = await carryOut(store, stream.webhook(id), WEBHOOK, { type: 'DeleteWebhook' }, stamp);
      channels.changed(channel.id, position);
      return { response: 'ok' } as const;
    },
  }),
  route({
    method: 'POST',
    path: `${ITEM}/rotate_key`,
    access: 'publisher',
    operation: 'rotateSubscriberKey',
    summary: 'Replace the subscriber key',
    body: NoFields,
    answer: WebhookAnswer,
    handle: (request, gateway) =>
      rotate(request, gateway, { type: 'RotateSubscriberKey', madeWith: gateway.keyring.madeWith }),
  }),
  route({
    method: 'POST',
    path: `${ITEM}/rotate_secret`,
    access: 'publisher',
    operation: 'rotateSigningSecret',
    summary: 'Replace the signing secret; the old one signs along for 24 hours',
    body: NoFields,
    answer: WebhookAnswer,
    handle: (request, gateway) =>
      rotate(request, gateway, {
        type: 'RotateSigningSecret',
        madeWith: gateway.keyring.madeWith,
        atMs: request.atMs,
      }),
  }),
  route({
    method: 'POST',
    path: `${ITEM}/ping`,
    access: 'webhook-owner',
    operation: 'pingWebhook',
    summary: 'Send a `ping` event to this webhook alone',
    isDelivering: true,
    body: NoFields,
    answer: EventAnswer,
    location: ({ id }, { channel }) => `/v1/channels/${channel?.id}/events/${id}/notification_log`,
    async handle(request, gateway) {
      const { id, webhook, atMs } = request;
      const [event] = await publishAll(request, [ping(id, webhook, atMs)], gateway);
      return event as PublishedEvent;
    },
  }),
  route({
    method: 'GET',
    path: `${ITEM}/public_key`,
    access: 'public-key-reader',
    operation: 'getPublicKeys',
    summary: 'Read what verifies the `v1a` signatures of a webhook',
    answer: PublicKeys,
    handle: ({ webhook }, { keyring, nowMs }) => ({ public_keys: keyring.publicKeys(webhook, nowMs()) }),
  }),
];

const FACT_OF = {
  RotateSubscriberKey: 'SubscriberKeyRotated',
  RotateSigningSecret: 'SigningSecretRotated',
} as const;
type Rotation = Extract<WebhookCommand, { type: keyof typeof FACT_OF }>;

async function rotate(request: Request<typeof ITEM, typeof NoFields>, gateway: Gateway, command: Rotation) {
  const { id, channel, webhook, requestId, by } = request;
  const { store, channels } = gateway;
  const stamp = { about: webhook.id, requestId, by };
  const once = factId(FACT_OF[command.type], id);
  const { state, position } = await carryOut(store, stream.webhook(webhook.id), WEBHOOK, command, stamp, { once });
  channels.changed(channel.id, position);
  return presentAnswer(state as LiveWebhook, gateway);
}

async function createWebhook(request: Request<typeof COLLECTION, typeof NewWebhook>, gateway: Gateway) {
  const { id, channel, body, requestId, by, repeated } = request;
  const { paused, kind, ...rest } = body;
  const fields = { ...rest, ...(kind === 'operational' && { kind }) };
  const { store, channels, keyring } = gateway;
  const name = stream.webhook(id);
  const command: WebhookCommand = {
    ...{ type: 'CreateWebhook', id, channelId: channel.id },
    ...{ fields: keyring.sealFields(id, fields), paused, madeWith: keyring.madeWith },
  };
  const stamp = { about: id, requestId, by };
  const { state, position } =
    (repeated && (await asCreated(store, name, WEBHOOK))) ||
    (await carryOut(store, name, WEBHOOK, command, stamp, { isNew: true }));
  channels.changed(channel.id, position);
  // As it was created, also where that is told again later (Idempotency-Key).
  return { ...webhookAnswer(state as LiveWebhook, keyring), failing_since: null };
}

function webhookAnswer(webhook: LiveWebhook, keyring: Keyring) {
  const { id, fields } = webhook;
  const { name, webhook_url, event_names, signatures, kind } = fields;
  const headers = keyring.openHeaders(webhook);
  const [subscriber_key, signing_secret] = [keyring.subscriberKey(webhook), keyring.signingSecret(webhook)];
  return {
    ...{ id, name, webhook_url, event_names, headers, signatures, kind, subscriber_key, signing_secret },
    ...pauseOf(webhook),
  };
}

/** With what it is like now. */
function presentAnswer(webhook: LiveWebhook, { keyring, readModels }: Gateway) {
  return { ...webhookAnswer(webhook, keyring), failing_since: readModels.health.failingSince(webhook.id) };
}

function pauseOf({ pause }: LiveWebhook) {
  return { paused: pause !== null, pause_reason: pause ?? undefined };
}

function pastFields(webhook: LiveWebhook) {
  const { id, fields } = webhook;
  const { name, webhook_url, event_names, headers, signatures, kind } = fields;
  const names = headers && Object.keys(headers);
  return { id, name, webhook_url, event_names, headers: names, signatures, kind, ...pauseOf(webhook) };
}
