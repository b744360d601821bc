// Made from the description of the API: node clients/typescript/generate/main.ts

/** What tells a problem from others. */
export type ProblemCode =
  | 'body-too-large'
  | 'channel-exists'
  | 'channel-not-found'
  | 'contended'
  | 'cross-site'
  | 'encoding-unknown'
  | 'erasure-not-found'
  | 'event-not-found'
  | 'fields-invalid'
  | 'guid-immutable'
  | 'guid-taken'
  | 'headers-too-large'
  | 'host-unknown'
  | 'idempotency-key-invalid'
  | 'idempotency-key-reused'
  | 'internal'
  | 'key-malformed'
  | 'key-missing'
  | 'key-refused'
  | 'malformed-body'
  | 'malformed-request'
  | 'master-secret-missing'
  | 'media-type-unknown'
  | 'no-checkpoint'
  | 'not-ready'
  | 'not-there-then'
  | 'nothing-to-redeliver'
  | 'overloaded'
  | 'pipelined-too-many'
  | 'query-invalid'
  | 'rate-limited'
  | 'read-models-behind'
  | 'recovery-not-found'
  | 'request-timeout'
  | 'stopping'
  | 'store-unavailable'
  | 'too-many-bad-keys'
  | 'too-many-recoveries'
  | 'too-many-waiting'
  | 'webhook-exists'
  | 'webhook-not-found';

export interface NewChannel {
  /** Name of the channel. */
  name: string;
  /** What the channel is for. */
  description?: string | undefined;
  /** An id of your own, unique over all live channels: letters, digits, `-`, `_`, `.`, not all digits. */
  guid?: string | undefined;
  /** Whom to write to about this channel. */
  email?: string | undefined;
  /** Whether the channel can be read without a key. */
  public?: boolean | undefined;
}

export interface Channel {
  id: number;
  /** Name of the channel. */
  name: string;
  /** What the channel is for. */
  description?: string | undefined;
  /** An id of your own, unique over all live channels: letters, digits, `-`, `_`, `.`, not all digits. */
  guid?: string | undefined;
  /** Whom to write to about this channel. */
  email?: string | undefined;
  /** Whether the channel can be read without a key. */
  public: boolean;
  /** What the publisher authenticates with. */
  publisher_key?: string | undefined;
}

export interface Problem {
  /** Leads to what it means. */
  type: string;
  title: string;
  status: number;
  /** What happened this time. */
  detail: string;
  /** Every wrong field. */
  errors?: Array<{
    /** Its path, such as `data.created_at` or `events[3].event_name`. */
    field: string;
    /** What is wrong with it. */
    message: string;
  }> | undefined;
}

export interface PastChannel {
  id: number;
  /** Name of the channel. */
  name: string;
  /** What the channel is for. */
  description?: string | undefined;
  /** An id of your own, unique over all live channels: letters, digits, `-`, `_`, `.`, not all digits. */
  guid?: string | undefined;
  /** Whom to write to about this channel. */
  email?: string | undefined;
  /** Whether the channel can be read without a key. */
  public: boolean;
  revision: number;
  recorded_at: string;
}

export interface ChannelChanges {
  /** Name of the channel. */
  name?: string | undefined;
  description?: string | null | undefined;
  /** An id of your own, unique over all live channels: letters, digits, `-`, `_`, `.`, not all digits. */
  guid?: string | undefined;
  email?: string | null | undefined;
  /** Whether the channel can be read without a key. */
  public?: boolean | undefined;
}

export interface Deleted {
  response: 'ok';
}

export interface Erasure {
  channel_id: number;
  status: 'running' | 'finished';
  requested_at: string;
  /** The kind of key that asked. */
  by: 'anyone' | 'publisher' | 'subscriber' | 'admin' | 'system';
  /** What is gone so far; `facts` counts all that the log held of the channel. */
  erased: {
    events: number;
    attempts: number;
    webhooks: number;
    facts: number;
  };
  finished_at: string | null;
}

export interface NewWebhook {
  /** Name of the subscriber. */
  name?: string | undefined;
  /** Where events are POSTed to: http or https, without user info. */
  webhook_url: string;
  /** Names of the events that it is sent, up to 50: `order.created`, `order.*`, `*`. Absent: all. */
  event_names?: Array<string> | undefined;
  /** Up to 20 headers that each delivery is sent with. */
  headers?: Record<string, string> | undefined;
  /** How deliveries are signed: `v1` (HMAC-SHA-256, the default), `v1a` (Ed25519), or both. */
  signatures?: Array<'v1' | 'v1a'> | undefined;
  /** What it is sent: `events` (the default), or what happens to the other webhooks of its channel. Fixed once it is created. */
  kind?: 'events' | 'operational' | undefined;
  /** Whether its deliveries wait until it is resumed. */
  paused?: boolean | undefined;
}

export interface Webhook {
  id: number;
  /** Name of the subscriber. */
  name?: string | undefined;
  /** Where events are POSTed to: http or https, without user info. */
  webhook_url: string;
  /** Names of the events that it is sent, up to 50: `order.created`, `order.*`, `*`. Absent: all. */
  event_names?: Array<string> | undefined;
  /** Up to 20 headers that each delivery is sent with. */
  headers?: Record<string, string> | undefined;
  /** How deliveries are signed: `v1` (HMAC-SHA-256, the default), `v1a` (Ed25519), or both. */
  signatures?: Array<'v1' | 'v1a'> | undefined;
  /** What it is sent: `events` (the default), or what happens to the other webhooks of its channel. Fixed once it is created. */
  kind?: 'events' | 'operational' | undefined;
  /** Whether its deliveries wait. */
  paused: boolean;
  /** Why it is paused. */
  pause_reason?: 'requested' | 'failing' | undefined;
  /** When the first attempt failed since one succeeded; null where the last one did. */
  failing_since: string | null;
  /** What the subscriber authenticates with. */
  subscriber_key: string;
  /** What deliveries are signed with: `whsec_` and base64. */
  signing_secret: string;
}

export interface PastWebhook {
  id: number;
  /** Name of the subscriber. */
  name?: string | undefined;
  /** Where events are POSTed to: http or https, without user info. */
  webhook_url: string;
  /** Names of the events that it is sent, up to 50: `order.created`, `order.*`, `*`. Absent: all. */
  event_names?: Array<string> | undefined;
  /** Their names. */
  headers?: Array<string> | undefined;
  /** How deliveries are signed: `v1` (HMAC-SHA-256, the default), `v1a` (Ed25519), or both. */
  signatures?: Array<'v1' | 'v1a'> | undefined;
  /** What it is sent: `events` (the default), or what happens to the other webhooks of its channel. Fixed once it is created. */
  kind?: 'events' | 'operational' | undefined;
  /** Whether its deliveries wait. */
  paused: boolean;
  /** Why it is paused. */
  pause_reason?: 'requested' | 'failing' | undefined;
  revision: number;
  recorded_at: string;
}

export interface WebhookChanges {
  name?: string | null | undefined;
  /** Where events are POSTed to: http or https, without user info. */
  webhook_url?: string | undefined;
  event_names?: Array<string> | null | undefined;
  headers?: Record<string, string> | null | undefined;
  signatures?: Array<'v1' | 'v1a'> | null | undefined;
  /** Whether its deliveries wait until it is resumed. */
  paused?: boolean | undefined;
}

export interface Event {
  id: number;
  channel_id: number;
  /** What happened: letters, digits, `.`, `_`, `-`, `:`. */
  event_name: string;
  /** A reference of your own. */
  ext_ref_code?: string | undefined;
  /** Where more can be read about it. */
  event_url?: string | undefined;
  /** Any JSON object. */
  data?: Record<string, unknown> | undefined;
  /** The one webhook that a ping is for. */
  webhook_id?: number | undefined;
  /** It tells operational webhooks what happened to the others. */
  kind?: 'operational' | undefined;
  published_at: string;
}

export interface PublicKeys {
  /** `whpk_` and base64. The first signs; after a rotation those before it sign along for 24 hours. */
  public_keys: Array<string>;
}

export interface NewEvent {
  /** What happened: letters, digits, `.`, `_`, `-`, `:`. */
  event_name: string;
  /** A reference of your own. */
  ext_ref_code?: string | undefined;
  /** Where more can be read about it. */
  event_url?: string | undefined;
  /** Any JSON object. */
  data?: Record<string, unknown> | undefined;
}

export interface NewEvents {
  /** In the order of their ids. */
  events: Array<NewEvent>;
}

export interface PublishedEvents {
  /** Of the events, in their order. */
  ids: Array<number>;
}

export interface ListedEvent {
  id: number;
  channel_id: number;
  /** What happened: letters, digits, `.`, `_`, `-`, `:`. */
  event_name: string;
  /** A reference of your own. */
  ext_ref_code?: string | undefined;
  /** Where more can be read about it. */
  event_url?: string | undefined;
  /** Any JSON object. */
  data?: Record<string, unknown> | undefined;
  /** The one webhook that a ping is for. */
  webhook_id?: number | undefined;
  /** It tells operational webhooks what happened to the others. */
  kind?: 'operational' | undefined;
  published_at: string;
  deliveries?: {
    pending: number;
    delivered: number;
    failed: number;
    cancelled: number;
    /** Of those that are pending, those that were attempted. */
    attempted: number;
  } | undefined;
}

export interface Attempt {
  attempt: number;
  at: string;
  status_code: number | null;
  /** What went wrong where there was no status code: `timeout`, `connection_refused`, `connection_reset`, `dns`, `tls`, `protocol`, `blocked_address`. */
  error: string | null;
  duration_ms: number;
  /** The first 1,024 bytes of it. */
  response_body: string;
  trigger: 'publish' | 'retry' | 'redeliver';
  /** Version of the webhook's settings that the attempt used. */
  webhook_revision: number;
  /** The redelivery that it was made for. */
  redelivery_id?: number | undefined;
}

export interface Proof {
  checkpoint: string | null;
  public_key: string | null;
  facts: Array<{
    stream: string;
    revision: number;
    type: string;
    id: string;
    /** As the log holds it. */
    metadata: string;
    /** As the log holds it. */
    data: string;
    leaf_index: number | null;
    inclusion_proof: Array<string> | null;
  }>;
}

export interface NotificationLogEntry {
  webhook_id: number;
  /** Where events are POSTed to: http or https, without user info. */
  webhook_url: string;
  /** Null where none is to come, and while its webhook is paused. */
  next_attempt_at: string | null;
  status: 'pending' | 'delivered' | 'failed' | 'cancelled' | 'skipped';
  /** Why it was skipped. */
  reason?: 'event_names' | 'created_later' | 'deleted_before' | undefined;
  attempts: Array<Attempt>;
  /** Who asked for it to be delivered again. */
  redeliveries?: Array<{
    id: number;
    requested_at: string;
    /** The kind of key that asked. */
    by: 'anyone' | 'publisher' | 'subscriber' | 'admin' | 'system';
    /** Why, for whoever reads the log. */
    reason?: string | undefined;
    /** It is part of a recovery, whose `id` it has. */
    recovery?: true | undefined;
  }> | undefined;
  proof?: Proof | undefined;
}

export interface NewRedelivery {
  /** The only webhook that gets it; absent: all of the notification log that are still there. */
  webhook_id?: number | undefined;
  /** Why, for whoever reads the log. */
  reason?: string | undefined;
}

export interface Redelivery {
  id: number;
  event_id: number;
  /** The only webhook that gets it; absent: all of the notification log that are still there. */
  webhook_id?: number | undefined;
  /** Why, for whoever reads the log. */
  reason?: string | undefined;
  requested_at: string;
  /** The kind of key that asked. */
  by: 'anyone' | 'publisher' | 'subscriber' | 'admin' | 'system';
}

export interface Delivery {
  event_id: number;
  /** What happened: letters, digits, `.`, `_`, `-`, `:`. */
  event_name: string;
  /** A reference of your own. */
  ext_ref_code?: string | undefined;
  published_at: string;
  /** Where events are POSTed to: http or https, without user info. */
  webhook_url: string;
  /** Null where none is to come, and while its webhook is paused. */
  next_attempt_at: string | null;
  status: 'pending' | 'delivered' | 'failed' | 'cancelled';
  attempt_count: number;
  last_attempt: Attempt | null;
}

export interface FeedPart {
  events: Array<Event>;
  /** Goes into `after` of the next request. */
  cursor: string;
}

export interface Period {
  from: string;
  /** Attempts that were recorded since. */
  attempts: number;
  /** Of these, attempts that delivered. */
  delivered: number;
  /** Of these, attempts that did not. */
  failed_attempts: number;
  /** Deliveries that were given up since. */
  failed: number;
  /** How long attempts took, to 9.1 %; null where there were none. */
  duration_ms: {
    p50: number;
    p95: number;
  } | null;
}

export interface Stats {
  hour: Period;
  day: Period;
  week: Period;
  /** Oldest first: five minutes each of an hour, an hour each of a day or week. */
  series?: Array<Period> | undefined;
}

export interface NewRecovery {
  /** Of events published then or later: RFC 3339. */
  since: string;
  /** And before then; absent: until now. */
  until?: string | undefined;
  /** Whether also those that were never on their way to it, since it did not exist yet. */
  missing?: boolean | undefined;
}

export interface Recovery {
  id: number;
  webhook_id: number;
  status: 'running' | 'finished';
  since: string;
  until: string;
  missing: boolean;
  requested_at: string;
  /** The kind of key that asked. */
  by: 'anyone' | 'publisher' | 'subscriber' | 'admin' | 'system';
  /** Events that are delivered again, so far. */
  found: {
    failed: number;
    missing: number;
  };
  finished_at: string | null;
}

export interface Change {
  revision: number;
  recorded_at: string;
  /** Name of the fact. */
  type: string;
  /** The kind of key that asked. */
  by: 'anyone' | 'publisher' | 'subscriber' | 'admin' | 'system';
  /** `X-Request-Id` of the request that asked for it. */
  request_id: string;
  changes: Record<string, unknown>;
}

export interface Checkpoint {
  /** How many facts the log had. */
  tree_size: number;
  /** Base64. */
  root_hash: string;
  at: string;
  /** The newest head and its signature: a signed note that holds a checkpoint. */
  note: string;
  /** The ed25519 key that signed it: 32 bytes in base64. */
  public_key: string;
  /** With `from`: that the log only went on from there (RFC 9162). */
  consistency_proof?: Array<string> | undefined;
}

export interface Index {
  name: string;
  version: string;
  api: string;
  description: string;
  reference: string;
  health: string;
  readiness: string;
}

export interface Health {
  status: 'ok';
}

export interface Readiness {
  status: 'ready';
  checks: Array<string>;
}

/** What each operation takes and answers. */
export interface Operations {
  /** List all channels. */
  listChannels: {
    query: {
      /** The most items to answer. */
      limit?: number | undefined;
      /** Id of the last item of the page before this one. */
      after?: number | undefined;
    } | undefined;
    body: undefined;
    answer: Array<Channel>;
  };
  /** Create a channel. */
  createChannel: {
    query: undefined;
    body: NewChannel;
    answer: Channel;
  };
  /** Read a channel. */
  getChannel: {
    query: {
      /** As it was then: RFC 3339, by the clock of the event store. */
      at?: string | undefined;
    } | undefined;
    body: undefined;
    answer: Channel | PastChannel;
  };
  /** Change a channel. */
  updateChannel: {
    query: undefined;
    body: ChannelChanges;
    answer: Channel;
  };
  /** Delete a channel, or erase all that there is of it. */
  deleteChannel: {
    query: {
      /** Whether all that there is of the channel is to be erased, too. */
      erase?: 'true' | 'false' | undefined;
    } | undefined;
    body: undefined;
    answer: Deleted;
  };
  /** Replace the publisher key. */
  rotatePublisherKey: {
    query: undefined;
    body: Record<string, never>;
    answer: Channel;
  };
  /** Read how far the erasure of a channel is. */
  getErasure: {
    query: undefined;
    body: undefined;
    answer: Erasure;
  };
  /** List the webhooks of a channel. */
  listWebhooks: {
    query: {
      /** The most items to answer. */
      limit?: number | undefined;
      /** Id of the last item of the page before this one. */
      after?: number | undefined;
    } | undefined;
    body: undefined;
    answer: Array<Webhook>;
  };
  /** Create a webhook. */
  createWebhook: {
    query: undefined;
    body: NewWebhook;
    answer: Webhook;
  };
  /** Read a webhook. */
  getWebhook: {
    query: {
      /** As it was then: RFC 3339, by the clock of the event store. */
      at?: string | undefined;
      /** As this revision of its settings left it. */
      revision?: number | undefined;
    } | undefined;
    body: undefined;
    answer: Webhook | PastWebhook;
  };
  /** Change a webhook. */
  updateWebhook: {
    query: undefined;
    body: WebhookChanges;
    answer: Webhook;
  };
  /** Delete a webhook. */
  deleteWebhook: {
    query: undefined;
    body: undefined;
    answer: Deleted;
  };
  /** Replace the subscriber key. */
  rotateSubscriberKey: {
    query: undefined;
    body: Record<string, never>;
    answer: Webhook;
  };
  /** Replace the signing secret; the old one signs along for 24 hours. */
  rotateSigningSecret: {
    query: undefined;
    body: Record<string, never>;
    answer: Webhook;
  };
  /** Send a `ping` event to this webhook alone. */
  pingWebhook: {
    query: undefined;
    body: Record<string, never>;
    answer: Event;
  };
  /** Read what verifies the `v1a` signatures of a webhook. */
  getPublicKeys: {
    query: undefined;
    body: undefined;
    answer: PublicKeys;
  };
  /** List the events of a channel, newest first. */
  listEvents: {
    query: {
      /** The most items to answer. */
      limit?: number | undefined;
      /** Id of the last item of the page before this one. */
      after?: number | undefined;
      /** What happened: letters, digits, `.`, `_`, `-`, `:`. */
      event_name?: string | undefined;
      /** What was published then or later: RFC 3339. */
      since?: string | undefined;
      /** What was published before: RFC 3339. */
      until?: string | undefined;
      status?: 'pending' | 'delivered' | 'failed' | 'cancelled' | undefined;
      /** A reference of your own. */
      ext_ref_code?: string | undefined;
      /** Those that operational webhooks are sent, in place of all others. */
      kind?: 'operational' | undefined;
      /** Adds to each event how many of its deliveries have which status. */
      include?: 'deliveries' | undefined;
    } | undefined;
    body: undefined;
    answer: Array<ListedEvent>;
  };
  /** Publish an event. */
  publishEvent: {
    query: undefined;
    body: NewEvent;
    answer: Event;
  };
  /** Publish many events at once: all or none. */
  publishEvents: {
    query: undefined;
    body: NewEvents;
    answer: PublishedEvents;
  };
  /** Read an event. */
  getEvent: {
    query: undefined;
    body: undefined;
    answer: Event;
  };
  /** Read what became of an event on its way to each webhook. */
  getNotificationLog: {
    query: {
      /** The most items to answer. */
      limit?: number | undefined;
      /** Id of the last item of the page before this one. */
      after?: number | undefined;
      /** As it was then: RFC 3339, by the clock of the event store. */
      at?: string | undefined;
      /** Adds the webhooks of the channel that were not sent the event. */
      include?: 'skipped' | undefined;
      /** Adds what proves each entry to a third party. */
      proof?: '1' | undefined;
    } | undefined;
    body: undefined;
    answer: Array<NotificationLogEntry>;
  };
  /** Deliver an event again, now. */
  redeliverEvent: {
    query: undefined;
    body: NewRedelivery;
    answer: Redelivery;
  };
  /** List the deliveries of a webhook, newest event first. */
  listDeliveries: {
    query: {
      /** The most items to answer. */
      limit?: number | undefined;
      /** Id of the last item of the page before this one. */
      after?: number | undefined;
      /** What happened: letters, digits, `.`, `_`, `-`, `:`. */
      event_name?: string | undefined;
      /** What was published then or later: RFC 3339. */
      since?: string | undefined;
      /** What was published before: RFC 3339. */
      until?: string | undefined;
      status?: 'pending' | 'delivered' | 'failed' | 'cancelled' | undefined;
    } | undefined;
    body: undefined;
    answer: Array<Delivery>;
  };
  /** Read the events of a channel in the order of their publication, and wait for the next. */
  readChannelFeed: {
    query: {
      /** The most items to answer. */
      limit?: number | undefined;
      /** The `cursor` of the answer before this one. `now`: only what comes from now on. Absent: all there was. */
      after?: string | undefined;
      /** How long to wait where there is nothing, such as `30s`; at most 60 s. Absent: `0s`. */
      wait?: string | undefined;
    } | undefined;
    body: undefined;
    answer: FeedPart;
  };
  /** Read the events of a webhook in the order of their publication, and wait for the next. */
  readFeed: {
    query: {
      /** The most items to answer. */
      limit?: number | undefined;
      /** The `cursor` of the answer before this one. `now`: only what comes from now on. Absent: all there was. */
      after?: string | undefined;
      /** How long to wait where there is nothing, such as `30s`; at most 60 s. Absent: `0s`. */
      wait?: string | undefined;
    } | undefined;
    body: undefined;
    answer: FeedPart;
  };
  /** Read how deliveries to a webhook have gone in the last hour, day and week. */
  getStats: {
    query: {
      /** Adds what was counted in each part of this period. */
      series?: 'hour' | 'day' | 'week' | undefined;
    } | undefined;
    body: undefined;
    answer: Stats;
  };
  /** Deliver again what failed, and what a webhook has missed. */
  recoverWebhook: {
    query: undefined;
    body: NewRecovery;
    answer: Recovery;
  };
  /** List the recoveries of a webhook, newest first. */
  listRecoveries: {
    query: {
      /** The most items to answer. */
      limit?: number | undefined;
      /** Id of the last item of the page before this one. */
      after?: number | undefined;
    } | undefined;
    body: undefined;
    answer: Array<Recovery>;
  };
  /** Read how far a recovery is. */
  getRecovery: {
    query: undefined;
    body: undefined;
    answer: Recovery;
  };
  /** Who changed a channel, when and how. */
  getChannelHistory: {
    query: {
      /** The most items to answer. */
      limit?: number | undefined;
      /** Id of the last item of the page before this one. */
      after?: number | undefined;
    } | undefined;
    body: undefined;
    answer: Array<Change>;
  };
  /** Who changed a webhook, when and how. */
  getWebhookHistory: {
    query: {
      /** The most items to answer. */
      limit?: number | undefined;
      /** Id of the last item of the page before this one. */
      after?: number | undefined;
    } | undefined;
    body: undefined;
    answer: Array<Change>;
  };
  /** The newest signed head of the tree over the log. */
  getCheckpoint: {
    query: {
      /** `tree_size` of an earlier checkpoint: adds what proves that the log only went on from there. */
      from?: number | undefined;
    } | undefined;
    body: undefined;
    answer: Checkpoint;
  };
  /** What this is and where things are. */
  getIndex: {
    query: undefined;
    body: undefined;
    answer: Index;
  };
  /** Whether the process lives. */
  getHealth: {
    query: undefined;
    body: undefined;
    answer: Health;
  };
  /** Whether all that is needed can be reached. */
  getReadiness: {
    query: undefined;
    body: undefined;
    answer: Readiness;
  };
  /** The API as OpenAPI describes it. */
  getDescription: {
    query: undefined;
    body: undefined;
    answer: Record<string, unknown>;
  };
}

/** Where each operation is. */
export const OPERATIONS = {
  listChannels: { method: 'GET', path: '/v1/channels' },
  createChannel: { method: 'POST', path: '/v1/channels' },
  getChannel: { method: 'GET', path: '/v1/channels/{channel}' },
  updateChannel: { method: 'PUT', path: '/v1/channels/{channel}' },
  deleteChannel: { method: 'DELETE', path: '/v1/channels/{channel}' },
  rotatePublisherKey: { method: 'POST', path: '/v1/channels/{channel}/rotate_key' },
  getErasure: { method: 'GET', path: '/v1/channels/{channel}/erasure' },
  listWebhooks: { method: 'GET', path: '/v1/channels/{channel}/webhooks' },
  createWebhook: { method: 'POST', path: '/v1/channels/{channel}/webhooks' },
  getWebhook: { method: 'GET', path: '/v1/channels/{channel}/webhooks/{webhook}' },
  updateWebhook: { method: 'PUT', path: '/v1/channels/{channel}/webhooks/{webhook}' },
  deleteWebhook: { method: 'DELETE', path: '/v1/channels/{channel}/webhooks/{webhook}' },
  rotateSubscriberKey: { method: 'POST', path: '/v1/channels/{channel}/webhooks/{webhook}/rotate_key' },
  rotateSigningSecret: { method: 'POST', path: '/v1/channels/{channel}/webhooks/{webhook}/rotate_secret' },
  pingWebhook: { method: 'POST', path: '/v1/channels/{channel}/webhooks/{webhook}/ping' },
  getPublicKeys: { method: 'GET', path: '/v1/channels/{channel}/webhooks/{webhook}/public_key' },
  listEvents: { method: 'GET', path: '/v1/channels/{channel}/events' },
  publishEvent: { method: 'POST', path: '/v1/channels/{channel}/events' },
  publishEvents: { method: 'POST', path: '/v1/channels/{channel}/events/batch' },
  getEvent: { method: 'GET', path: '/v1/channels/{channel}/events/{event}' },
  getNotificationLog: { method: 'GET', path: '/v1/channels/{channel}/events/{event}/notification_log' },
  redeliverEvent: { method: 'POST', path: '/v1/channels/{channel}/events/{event}/redeliver' },
  listDeliveries: { method: 'GET', path: '/v1/channels/{channel}/webhooks/{webhook}/deliveries' },
  readChannelFeed: { method: 'GET', path: '/v1/channels/{channel}/feed' },
  readFeed: { method: 'GET', path: '/v1/channels/{channel}/webhooks/{webhook}/feed' },
  getStats: { method: 'GET', path: '/v1/channels/{channel}/webhooks/{webhook}/stats' },
  recoverWebhook: { method: 'POST', path: '/v1/channels/{channel}/webhooks/{webhook}/recover' },
  listRecoveries: { method: 'GET', path: '/v1/channels/{channel}/webhooks/{webhook}/recoveries' },
  getRecovery: { method: 'GET', path: '/v1/channels/{channel}/webhooks/{webhook}/recoveries/{recovery}' },
  getChannelHistory: { method: 'GET', path: '/v1/channels/{channel}/history' },
  getWebhookHistory: { method: 'GET', path: '/v1/channels/{channel}/webhooks/{webhook}/history' },
  getCheckpoint: { method: 'GET', path: '/v1/checkpoint' },
  getIndex: { method: 'GET', path: '/' },
  getHealth: { method: 'GET', path: '/healthz' },
  getReadiness: { method: 'GET', path: '/readyz' },
  getDescription: { method: 'GET', path: '/openapi.json' },
} as const;

