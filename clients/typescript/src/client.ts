import type {
  Channel,
  ChannelChanges,
  Checkpoint,
  Deleted,
  Erasure,
  Event,
  NewChannel,
  NewEvent,
  NewRecovery,
  NewRedelivery,
  NewWebhook,
  Operations,
  PastChannel,
  PastWebhook,
  Webhook,
  WebhookChanges,
} from './api.ts';
import { type FollowOptions, follow } from './feed.ts';
import { type CallOptions, type ClientOptions, createCall, type Given } from './http.ts';
import { listOf } from './lists.ts';

/** Its id, or its `guid`. */
export type ChannelId = number | string;

export type Client = ReturnType<typeof createClient>;

type Name = keyof Operations;
/** Operations that answer with a list. */
type ListName = { [O in Name]: Operations[O]['answer'] extends (infer _)[] ? O : never }[Name];
type ItemOf<O extends ListName> = Operations[O]['answer'] extends (infer T)[] ? T : never;
type QueryOf<O extends Name> = Operations[O]['query'];

/** Calls a webhooks server. Each call rejects with ApiError, ConnectionError or TimeoutError, or with the reason of its signal. */
export function createClient(options: ClientOptions) {
  const call = createCall(options);

  async function one<O extends Name>(name: O, given: Given<O>, more?: CallOptions): Promise<Operations[O]['answer']> {
    return (await call(name, given, more)).value;
  }

  function list<O extends ListName>(name: O, ids: readonly (number | string)[], query: QueryOf<O>, more?: CallOptions) {
    const read = (asked: object) => call(name, { ids, query: asked as QueryOf<O> }, more);
    return listOf<ItemOf<O>>(read as never, query);
  }

  return {
    channels: {
      create: (fields: NewChannel, more?: CallOptions): Promise<Channel> =>
        one('createChannel', { body: fields }, more),
      /** Every channel; takes the admin key. */
      list: (query?: QueryOf<'listChannels'>, more?: CallOptions) => list('listChannels', [], query, more),
      get: (channel: ChannelId, more?: CallOptions) => one('getChannel', { ids: [channel] }, more) as Promise<Channel>,
      /** As it was at a time (RFC 3339). */
      getAt: (channel: ChannelId, at: string, more?: CallOptions) =>
        one('getChannel', { ids: [channel], query: { at } }, more) as Promise<PastChannel>,
      /** Changes the fields that are given; null clears one. */
      update: (channel: ChannelId, changes: ChannelChanges, more?: CallOptions): Promise<Channel> =>
        one('updateChannel', { ids: [channel], body: changes }, more),
      delete: (channel: ChannelId, more?: CallOptions): Promise<Deleted> =>
        one('deleteChannel', { ids: [channel] }, more),
      /** Deletes it, if it is still there, and erases all that there is of it. It cannot be taken back. */
      erase: (channel: ChannelId, more?: CallOptions): Promise<Deleted> =>
        one('deleteChannel', { ids: [channel], query: { erase: 'true' } }, more),
      /** How far that is. */
      erasure: (channel: number, more?: CallOptions): Promise<Erasure> => one('getErasure', { ids: [channel] }, more),
      /** Answers with the new publisher key; the old one stops at once. */
      rotateKey: (channel: ChannelId, more?: CallOptions): Promise<Channel> =>
        one('rotatePublisherKey', { ids: [channel], body: {} }, more),
      /** Who changed it, when and how, oldest first. */
      history: (channel: ChannelId, query?: QueryOf<'getChannelHistory'>, more?: CallOptions) =>
        list('getChannelHistory', [channel], query, more),
      /** Its events in the order of their publication: one part of them. */
      feed: (channel: ChannelId, query?: QueryOf<'readChannelFeed'>, more?: CallOptions) =>
        one('readChannelFeed', { ids: [channel], query }, more),
      /** Its events in the order of their publication, and those to come, until `signal` ends it. */
      follow: (channel: ChannelId, more?: FollowOptions) => follow(call, ['readChannelFeed', channel], more),
    },

    webhooks: {
      create: (channel: ChannelId, fields: NewWebhook, more?: CallOptions): Promise<Webhook> =>
        one('createWebhook', { ids: [channel], body: fields }, more),
      list: (channel: ChannelId, query?: QueryOf<'listWebhooks'>, more?: CallOptions) =>
        list('listWebhooks', [channel], query, more),
      get: (channel: ChannelId, webhook: number, more?: CallOptions) =>
        one('getWebhook', { ids: [channel, webhook] }, more) as Promise<Webhook>,
      /** As it was at a time (RFC 3339), or as a revision of its settings left it. */
      getPast: (channel: ChannelId, webhook: number, then: NonNullable<QueryOf<'getWebhook'>>, more?: CallOptions) =>
        one('getWebhook', { ids: [channel, webhook], query: then }, more) as Promise<PastWebhook>,
      /** Changes the fields that are given; null clears one. */
      update: (channel: ChannelId, webhook: number, changes: WebhookChanges, more?: CallOptions): Promise<Webhook> =>
        one('updateWebhook', { ids: [channel, webhook], body: changes }, more),
      pause: (channel: ChannelId, webhook: number, more?: CallOptions): Promise<Webhook> =>
        one('updateWebhook', { ids: [channel, webhook], body: { paused: true } }, more),
      resume: (channel: ChannelId, webhook: number, more?: CallOptions): Promise<Webhook> =>
        one('updateWebhook', { ids: [channel, webhook], body: { paused: false } }, more),
      delete: (channel: ChannelId, webhook: number, more?: CallOptions): Promise<Deleted> =>
        one('deleteWebhook', { ids: [channel, webhook] }, more),
      /** Answers with the new subscriber key; the old one stops at once. */
      rotateKey: (channel: ChannelId, webhook: number, more?: CallOptions): Promise<Webhook> =>
        one('rotateSubscriberKey', { ids: [channel, webhook], body: {} }, more),
      /** Answers with the new signing secret; the old one signs along for 24 hours. */
      rotateSecret: (channel: ChannelId, webhook: number, more?: CallOptions): Promise<Webhook> =>
        one('rotateSigningSecret', { ids: [channel, webhook], body: {} }, more),
      /** Sends a `ping` event to this webhook alone. */
      ping: (channel: ChannelId, webhook: number, more?: CallOptions): Promise<Event> =>
        one('pingWebhook', { ids: [channel, webhook], body: {} }, more),
      /** What verifies its `v1a` signatures. */
      publicKeys: async (channel: ChannelId, webhook: number, more?: CallOptions): Promise<string[]> =>
        (await one('getPublicKeys', { ids: [channel, webhook] }, more)).public_keys,
      stats: (channel: ChannelId, webhook: number, query?: QueryOf<'getStats'>, more?: CallOptions) =>
        one('getStats', { ids: [channel, webhook], query }, more),
      /** What it was sent, newest event first. */
      deliveries: (channel: ChannelId, webhook: number, query?: QueryOf<'listDeliveries'>, more?: CallOptions) =>
        list('listDeliveries', [channel, webhook], query, more),
      /** Who changed it, when and how, oldest first. */
      history: (channel: ChannelId, webhook: number, query?: QueryOf<'getWebhookHistory'>, more?: CallOptions) =>
        list('getWebhookHistory', [channel, webhook], query, more),
      /** Its events in the order of their publication: one part of them. */
      feed: (channel: ChannelId, webhook: number, query?: QueryOf<'readFeed'>, more?: CallOptions) =>
        one('readFeed', { ids: [channel, webhook], query }, more),
      /** Its events in the order of their publication, and those to come, until `signal` ends it. */
      follow: (channel: ChannelId, webhook: number, more?: FollowOptions) =>
        follow(call, ['readFeed', channel, webhook], more),
    },

    recoveries: {
      /** Delivers again what failed, and with `missing` also what the webhook was never sent. */
      start: (channel: ChannelId, webhook: number, wanted: NewRecovery, more?: CallOptions) =>
        one('recoverWebhook', { ids: [channel, webhook], body: wanted }, more),
      list: (channel: ChannelId, webhook: number, query?: QueryOf<'listRecoveries'>, more?: CallOptions) =>
        list('listRecoveries', [channel, webhook], query, more),
      get: (channel: ChannelId, webhook: number, recovery: number, more?: CallOptions) =>
        one('getRecovery', { ids: [channel, webhook, recovery] }, more),
    },

    events: {
      /** Resolves once the event is durable; deliveries follow. However often it is repeated, there is one event. */
      publish: (channel: ChannelId, event: NewEvent, more?: CallOptions): Promise<Event> =>
        one('publishEvent', { ids: [channel], body: event }, more),
      /** All or none of up to 250. Resolves with their ids, in their order. */
      publishBatch: async (channel: ChannelId, events: NewEvent[], more?: CallOptions): Promise<number[]> =>
        (await one('publishEvents', { ids: [channel], body: { events } }, more)).ids,
      /** Newest first. */
      list: (channel: ChannelId, query?: QueryOf<'listEvents'>, more?: CallOptions) =>
        list('listEvents', [channel], query, more),
      get: (channel: ChannelId, event: number, more?: CallOptions): Promise<Event> =>
        one('getEvent', { ids: [channel, event] }, more),
      /** What became of it on its way to each webhook. */
      notificationLog: (channel: ChannelId, event: number, query?: QueryOf<'getNotificationLog'>, more?: CallOptions) =>
        list('getNotificationLog', [channel, event], query, more),
      /** Delivers it again, now. */
      redeliver: (channel: ChannelId, event: number, wanted: NewRedelivery = {}, more?: CallOptions) =>
        one('redeliverEvent', { ids: [channel, event], body: wanted }, more),
    },

    /** The newest signed head of the tree over the log. */
    checkpoint: (query?: QueryOf<'getCheckpoint'>, more?: CallOptions): Promise<Checkpoint> =>
      one('getCheckpoint', { query }, more),
    /** Whether all that the server needs can be reached. */
    readiness: (more?: CallOptions) => one('getReadiness', {}, more),
  };
}
