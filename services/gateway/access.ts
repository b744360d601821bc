import type { LiveChannel } from '../../domain/channel.ts';
import type { WebhookView } from '../../projections/webhooks.ts';
import type { Gateway } from './context.ts';
import { isAdminKey, readKey } from './credentials.ts';
import { Problem } from './problems.ts';
import type { Scope } from './route.ts';

interface Rule {
  /** When a request without a key is let in. */
  readonly withoutKey: 'always' | 'without-admin-key' | 'public-channel' | 'never';
  /** Whose keys are let in, beside ADMIN_KEY, which may do everything. */
  readonly keys: readonly ('publisher' | 'own-subscriber' | 'any-subscriber')[];
}

/** Who may do what. Each route names one of these. */
export const ACCESS = {
  anyone: { withoutKey: 'always', keys: [] },
  'channel-creator': { withoutKey: 'without-admin-key', keys: [] },
  admin: { withoutKey: 'never', keys: [] },
  publisher: { withoutKey: 'never', keys: ['publisher'] },
  'channel-reader': { withoutKey: 'public-channel', keys: ['publisher'] },
  'webhook-owner': { withoutKey: 'never', keys: ['publisher', 'own-subscriber'] },
  'log-reader': { withoutKey: 'never', keys: ['publisher', 'any-subscriber'] },
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
  if (key === undefined && rule.withoutKey !== 'public-channel') throw keyMissing();
  if (params.channel === undefined) {
    if (isAdminKey(key, adminKey)) return { by: 'admin' };
    throw keyRefused();
  }
  const channel = await findChannel(gateway, params.channel);
  if (key !== undefined) return admitKey(gateway, rule, { key, channel, webhookParam: params.webhook });
  if (channel?.fields.public) return { by: 'anyone', channel };
  throw keyMissing();
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

function findWebhook({ readModels }: Gateway, channelId: number, param: string): WebhookView {
  const id = idOf(param);
  const webhook = id === undefined ? undefined : readModels.webhooks.byId(id);
  if (webhook?.channel_id === channelId) return webhook;
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
