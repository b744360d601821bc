import Type from 'typebox';
import { stream } from '../../../domain/facts.ts';
import { Closed } from '../../../domain/fields.ts';
import { type LiveWebhook, NewWebhook, WebhookChanges } from '../../../domain/webhook.ts';
import { asCreated, carryOut, WEBHOOK } from '../commands.ts';
import type { Gateway } from '../context.ts';
import type { Keyring } from '../keyring.ts';
import { At, Revision, webhookThen } from '../past.ts';
import { DEFAULT_LIMIT, listQuery } from '../query.ts';
import { Page, type Request, route } from '../route.ts';
import { Deleted, Id, Past } from './answers.ts';

const COLLECTION = '/v1/channels/:channel/webhooks';
const ITEM = `${COLLECTION}/:webhook`;

const WebhookAnswer = Type.Object({
  id: Id,
  ...NewWebhook.properties,
  subscriber_key: Type.String({ description: 'What the subscriber authenticates with.' }),
  signing_secret: Type.String({ description: 'What deliveries are signed with: `whsec_` and base64.' }),
});

/** Without its key and secret, which are those of today. */
const PastWebhook = Type.Object({ id: Id, ...NewWebhook.properties, ...Past });

export const webhookRoutes = [
  route({
    method: 'POST',
    path: COLLECTION,
    access: 'publisher',
    summary: 'Create a webhook',
    body: NewWebhook,
    answer: WebhookAnswer,
    location: ({ id }, { channel }) => `/v1/channels/${channel?.id}/webhooks/${id}`,
    handle: createWebhook,
  }),
  route({
    method: 'GET',
    path: COLLECTION,
    access: 'publisher',
    summary: 'List the webhooks of a channel',
    query: listQuery(DEFAULT_LIMIT),
    answer: Type.Array(WebhookAnswer),
    handle({ channel, query: { after, limit = DEFAULT_LIMIT } }, { readModels, keyring }) {
      const found = readModels.webhooks.page(channel.id, { after, limit: limit + 1 });
      return new Page(
        found.map((webhook) => webhookAnswer(webhook, keyring)),
        limit,
        ({ id }) => id,
      );
    },
  }),
  route({
    method: 'GET',
    path: ITEM,
    access: 'webhook-owner',
    summary: 'Read a webhook',
    query: Closed({ at: At, revision: Revision }),
    answer: Type.Union([WebhookAnswer, PastWebhook]),
    async handle({ webhook, query }, { store, keyring }) {
      if (query.at === undefined && query.revision === undefined) return webhookAnswer(webhook, keyring);
      const { state, revision, recorded_at } = await webhookThen(store, webhook.id, query);
      return { ...shownFields(state), revision, recorded_at };
    },
  }),
  route({
    method: 'PUT',
    path: ITEM,
    access: 'webhook-owner',
    summary: 'Change a webhook',
    body: WebhookChanges,
    answer: WebhookAnswer,
    async handle({ channel, webhook: { id }, body: changes, requestId, by }, { store, channels, keyring }) {
      const stamp = { about: id, requestId, by };
      const command = { type: 'UpdateWebhook', changes } as const;
      const { state, position } = await carryOut(store, stream.webhook(id), WEBHOOK, command, stamp);
      channels.changed(channel.id, position);
      return webhookAnswer(state as LiveWebhook, keyring);
    },
  }),
  route({
    method: 'DELETE',
    path: ITEM,
    access: 'webhook-owner',
    summary: 'Delete a webhook',
    answer: Deleted,
    async handle({ channel, webhook: { id }, requestId, by }, { store, channels }) {
      const stamp = { about: id, requestId, by };
      const { position } = await carryOut(store, stream.webhook(id), WEBHOOK, { type: 'DeleteWebhook' }, stamp);
      channels.changed(channel.id, position);
      return { response: 'ok' } as const;
    },
  }),
];

async function createWebhook(request: Request<typeof COLLECTION, typeof NewWebhook>, gateway: Gateway) {
  const { id, channel, body: fields, requestId, by, repeated } = request;
  const { store, channels, keyring } = gateway;
  const name = stream.webhook(id);
  const command = { type: 'CreateWebhook', id, channelId: channel.id, fields } as const;
  const stamp = { about: id, requestId, by };
  const { state, position } =
    (repeated && (await asCreated(store, name, WEBHOOK))) ||
    (await carryOut(store, name, WEBHOOK, command, stamp, { isNew: true }));
  channels.changed(channel.id, position);
  return webhookAnswer(state as LiveWebhook, keyring);
}

function webhookAnswer(webhook: LiveWebhook, keyring: Keyring) {
  const subscriber_key = keyring.subscriberKey(webhook);
  return { ...shownFields(webhook), subscriber_key, signing_secret: keyring.signingSecret(webhook) };
}

function shownFields({ id, fields: { name, webhook_url } }: LiveWebhook) {
  return { id, name, webhook_url };
}
