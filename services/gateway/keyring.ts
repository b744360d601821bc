import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  LiveWebhook,
  NewWebhook,
  SealedWebhookChanges,
  WebhookChanges,
  WebhookFields,
} from '../../domain/webhook.ts';
import type { SealedHeaders, WebhookHeaders } from '../../domain/webhook-headers.ts';
import { type KeyHolder, type Keys, sameKey, showPublicKey, showSecret } from '../../infra/keys.ts';
import { openHeaders, sealHeaders } from '../../infra/sealed-headers.ts';
import type { WebhookQueries } from '../../projections/webhooks.ts';

/** Keys kept so that a publish does not derive its channel's again. */
const KEPT = 10_000;
/** Webhooks whose keys are compared before other requests have their turn. */
const PAGE = 250;

export type Keyring = ReturnType<typeof createKeyring>;

/** What a webhook is created with, as facts hold it but for the values of its headers. */
type UnsealedFields = Omit<WebhookFields, 'headers'> & Pick<NewWebhook, 'headers'>;

/** The keys of channels and webhooks, derived once for each version, and what is sealed under them. Where a master secret is not there: MasterSecretMissing. */
export function createKeyring(keys: Keys) {
  const kept = new Map<number, { version: number; key: string }>();

  function keep(holder: KeyHolder, derive: (of: KeyHolder) => string): string {
    const { id, key_version: version } = holder;
    const known = kept.get(id);
    if (known?.version === version) return known.key;
    const key = derive(holder);
    if (kept.size >= KEPT) kept.clear();
    kept.set(id, { version, key });
    return key;
  }
  const publisherKey = (channel: KeyHolder) => keep(channel, keys.publisherKey);
  const subscriberKey = (webhook: KeyHolder) => keep(webhook, keys.subscriberKey);

  /** Whether a key is the one that the holder's next rotation makes: then that has taken place, at another gateway. */
  function isNext({ id, key_version }: KeyHolder, key: string, derive: (of: KeyHolder) => string): boolean {
    return keys.names.some((key_made_with) =>
      sameKey(derive({ id, key_version: key_version + 1, key_made_with }), key),
    );
  }

  const openedHeaders = (webhookId: number, headers: SealedHeaders | undefined) =>
    headers && openHeaders(keys, webhookId, headers);

  /** What is sealed already stays as it is where the values are the same. */
  function sealed(webhookId: number, headers: WebhookHeaders, current?: SealedHeaders): SealedHeaders {
    const isSame = current && JSON.stringify(headers) === JSON.stringify(openedHeaders(webhookId, current));
    return isSame ? current : sealHeaders(keys, webhookId, headers);
  }

  return {
    publisherKey,
    subscriberKey,
    /** What facts say that a new key or secret was made with. */
    madeWith: keys.madeWith,
    signingSecret: ({ id, secret }: LiveWebhook): string => showSecret(keys.signingSecret(id, secret)),
    /** Of the signing key of now, and of those before it that still sign along. */
    publicKeys: ({ id, secret, previous_secrets }: LiveWebhook, atMs: number): string[] => {
      const previous = previous_secrets.filter(({ until }) => Date.parse(until) > atMs);
      return [secret, ...previous].map((version) => showPublicKey(keys.signingKey(id, version)));
    },
    isPublisherOf: (channel: KeyHolder, key: string): boolean => sameKey(publisherKey(channel), key),
    isSubscriberOf: (webhook: KeyHolder, key: string): boolean => sameKey(subscriberKey(webhook), key),
    isNextPublisherOf: (channel: KeyHolder, key: string): boolean => isNext(channel, key, keys.publisherKey),
    isNextSubscriberOf: (webhook: KeyHolder, key: string): boolean => isNext(webhook, key, keys.subscriberKey),

    openHeaders: ({ id, fields: { headers } }: LiveWebhook): WebhookHeaders | undefined => openedHeaders(id, headers),
    sealFields: (webhookId: number, { headers, ...fields }: UnsealedFields): WebhookFields =>
      headers ? { ...fields, headers: sealed(webhookId, headers) } : fields,
    sealChanges: (
      webhook: LiveWebhook,
      { headers, ...changes }: Omit<WebhookChanges, 'paused'>,
    ): SealedWebhookChanges => {
      if (headers === undefined) return changes;
      return { ...changes, headers: headers && sealed(webhook.id, headers, webhook.fields.headers) };
    },
    blinded: keys.blinded,

    /** Id of the channel's webhook whose subscriber key this is. */
    async webhookOf(channelId: number, key: string, webhooks: WebhookQueries): Promise<number | undefined> {
      let page = webhooks.page(channelId, { limit: PAGE });
      while (page.length > 0) {
        const own = page.find((webhook) => sameKey(keys.subscriberKey(webhook), key));
        if (own) return own.id;
        await nextTurn();
        page = webhooks.page(channelId, { after: page.at(-1)?.id, limit: PAGE });
      }
      return undefined;
    },
  };
}
