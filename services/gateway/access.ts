import type { LiveChannel } from '../../domain/channel.ts';
import type { WebhookView } from '../../projections/webhooks.ts';
import type { Gateway } from './context.ts';
import { isAdminKey, readKey } from './credentials.ts';
import { Problem } from './problems.ts';
import type { Scope } from './route.ts';

interface Rule {
  /** When a request without a key is let in. */
  readonly withoutKey: 'always' | 'without-admin-key' | 'public-channel' | 'public-key' | 'never';
  /** Whose keys are let in, beside ADMIN_KEY, which may do everything. */
  readonly keys: readonly ('publisher' | 'own-subscriber' | 'any-subscriber')[];
  /** Whether the key of a channel that is no more counts as well. */
  readonly ofEnded?: true;
  /** The same in words, as `docs/api.md` says it of each route. */
  readonly who: string;
}

/** Who may do what. Each route names one of these. */
export const ACCESS = {
  anyone: { withoutKey: 'always', keys: [], who: 'anyone' },
  'channel-creator': { withoutKey: 'without-admin-key', keys: [], who: 'anyone; the admin key where one is set' },
  operator: { withoutKey: 'without-admin-key', keys: [], who: 'anyone; the admin key where one is set' },
  admin: { withoutKey: 'never', keys: [], who: 'admin' },
  publisher: { withoutKey: 'never', keys: ['publisher'], who: 'publisher' },
  'channel-ender': {
    withoutKey: 'never',
    keys: ['publisher'],
    ofEnded: true,
    who: 'publisher, also once it is deleted',
  },
  'channel-reader': { withoutKey: 'public-channel', keys: ['publisher'], who: 'publisher; anyone where it is public' },
  'webhook-owner': { withoutKey: 'never', keys: ['publisher', 'own-subscriber'], who: 'publisher, its subscriber' },
  'public-key-reader': {
    withoutKey: 'public-key',
    keys: ['publisher', 'own-subscriber'],
    who: 'publisher, its subscriber; anyone where it signs with `v1a`',
  },
  'log-reader': {
    withoutKey: 'never',
    keys: ['publisher', 'any-subscriber'],
    who: 'publisher; a subscriber sees its own entry',
  },
} satisfies Record<string, Rule>;

export type Access = keyof typeof ACCESS;

/** Ids in a path, as they were sent. */
export interface PathParams {
  readonly channel?: string;
  readonly webhook?: string;
}

/**
 * Lets a request in, or not. The order tells strangers nothing: first whether there is a key, then whether the thing
 * exists, then whether the key is the thing's.
 * @throws Problem key-missing, key-malformed, channel-not-found, webhook-not-found, key-refused
 */
export async function admit(
  gateway: Gateway,
  access: Access,
  params: PathParams,
  authorization: string | undefined,
): Promise<Scope> {
  const { adminKey } = gateway;
  const rule: Rule = ACCESS[access];
  if (rule.withoutKey === 'always') return { by: 'anyone' };
  if (rule.withoutKey === 'without-admin-key' && adminKey === undefined) return { by: 'anyone' };
  const key = readKey(authorization, adminKey);
  if (key === undefined && rule.withoutKey === 'never') throw keyMissing();
  if (params.channel === undefined) {
    if (key === undefined) throw keyMissing();
    if (isAdminKey(key, adminKey)) return { by: 'admin' };
    throw keyRefused();
  }
  const channel = await findChannel(gateway, params.channel);
  if (key === undefined) return admitKeyless(gateway, rule, channel, params.webhook);
  if (!channel && rule.ofEnded) return admitEnded(gateway, key, params.channel);
  const claim = { key, channel, webhookParam: params.webhook };
  try {
    return await admitKey(gateway, rule, claim);
  } catch (error) {
    if (!channel || !isOfBadKey(error) || !isOfNextVersion(gateway, channel, claim)) throw error;
  }
  gateway.channels.changed(channel.id, await gateway.store.lastPosition());
  return admitKey(gateway, rule, { ...claim, channel: await gateway.channels.byId(channel.id) });
}

function admitEnded({ readModels, keyring, adminKey }: Gateway, key: string, param: string): Scope {
  const id = idOf(param);
  const ended = id === undefined ? undefined : readModels.channels.endedById(id);
  if (!ended) throw new Problem('channel-not-found', 'There is no such channel.');
  if (isAdminKey(key, adminKey)) return { by: 'admin', ended };
  if (keyring.isPublisherOf(ended, key)) return { by: 'publisher', ended };
  throw keyRefused();
}

/** Whether what was refused is a key, not that there was none. */
export function isOfBadKey(error: unknown): boolean {
  return error instanceof Problem && (error.code === 'key-refused' || error.code === 'key-malformed');
}

/** Where nothing is open, there is no telling what exists. */
function admitKeyless(
  gateway: Gateway,
  { withoutKey }: Rule,
  channel: LiveChannel | undefined,
  webhookParam?: string,
): Scope {
  if (withoutKey === 'public-channel' && channel?.fields.public) return { by: 'anyone', channel };
  if (withoutKey === 'public-key' && channel && webhookParam !== undefined) {
    const webhook = webhookIn(gateway, channel.id, webhookParam);
    if (webhook?.fields.signatures?.includes('v1a')) return { by: 'anyone', channel, webhook };
  }
  throw keyMissing();
}

/** Whether a key was made by a rotation that another gateway has carried out and that is not in the read models here yet: whoever did that goes on with it at once. */
function isOfNextVersion(gateway: Gateway, channel: LiveChannel, { key, webhookParam }: Claim): boolean {
  const { keyring } = gateway;
  if (keyring.isNextPublisherOf(channel, key)) return true;
  const webhook = webhookParam === undefined ? undefined : webhookIn(gateway, channel.id, webhookParam);
  return webhook !== undefined && keyring.isNextSubscriberOf(webhook, key);
}

interface Claim {
  readonly key: string;
  readonly channel: LiveChannel | undefined;
  readonly webhookParam: string | undefined;
}

async function admitKey(gateway: Gateway, rule: Rule, { key, channel, webhookParam }: Claim): Promise<Scope> {
  if (!channel) throw new Problem('channel-not-found', 'There is no such channel.');
  const by = managerOf(gateway, channel, key);
  if (!by && !rule.keys.includes(subscriberRole(webhookParam))) throw keyRefused();
  if (!by && !key.startsWith('sk_')) throw keyRefused();
  if (webhookParam !== undefined) {
    const webhook = findWebhook(gateway, channel.id, webhookParam);
    if (by) return { by, channel, webhook };
    if (gateway.keyring.isSubscriberOf(webhook, key)) return { by: 'subscriber', channel, webhook };
    throw keyRefused();
  }
  if (by) return { by, channel };
  const onlyWebhook = await gateway.keyring.webhookOf(channel.id, key, gateway.readModels.webhooks);
  if (onlyWebhook === undefined) throw keyRefused();
  return { by: 'subscriber', channel, onlyWebhook };
}

function subscriberRole(webhookParam: string | undefined) {
  return webhookParam === undefined ? 'any-subscriber' : 'own-subscriber';
}

function managerOf({ keyring, adminKey }: Gateway, channel: LiveChannel, key: string) {
  if (keyring.isPublisherOf(channel, key)) return 'publisher';
  return isAdminKey(key, adminKey) ? 'admin' : undefined;
}

const DIGITS = /^[0-9]+$/;

/** A channel by guid or id. */
function findChannel({ channels }: Gateway, guidOrId: string): Promise<LiveChannel | undefined> | undefined {
  const id = idOf(guidOrId);
  if (id !== undefined) return channels.byId(id);
  return DIGITS.test(guidOrId) ? undefined : channels.byGuid(guidOrId);
}

function webhookIn({ readModels }: Gateway, channelId: number, param: string): WebhookView | undefined {
  const id = idOf(param);
  const webhook = id === undefined ? undefined : readModels.webhooks.byId(id);
  return webhook?.channel_id === channelId ? webhook : undefined;
}

function findWebhook(gateway: Gateway, channelId: number, param: string): WebhookView {
  const webhook = webhookIn(gateway, channelId, param);
  if (webhook) return webhook;
  throw new Problem('webhook-not-found', 'There is no such webhook in this channel.');
}

const ID = /^[1-9][0-9]{0,15}$/;

/** An id as it stands in a path: plain decimal, at most 2^53-1. */
export function idOf(param: string): number | undefined {
  const id = ID.test(param) ? Number(param) : undefined;
  return Number.isSafeInteger(id) ? id : undefined;
}

export function keyMissing(): Problem {
  return new Problem(
    'key-missing',
    'Send the key as the user name of HTTP Basic with an empty password, or as Bearer.',
  );
}

function keyRefused(): Problem {
  return new Problem('key-refused', 'The key is well-formed, but not one that may do this here.');
}
