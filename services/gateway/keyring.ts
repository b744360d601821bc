import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Keys, sameKey, showSecret } from '../../infra/keys.ts';
import type { WebhookQueries } from '../../projections/webhooks.ts';

/** Keys kept so that a publish does not derive its channel's again. */
const KEPT = 10_000;
/** Webhooks whose keys are compared before other requests have their turn. */
const PAGE = 250;

interface Versioned {
  readonly id: number;
  readonly key_version: number;
}

export type Keyring = ReturnType<typeof createKeyring>;

/** The keys of channels and webhooks, derived once for each version. */
export function createKeyring(keys: Keys) {
  const kept = new Map<number, { version: number; key: string }>();

  function keep({ id, key_version }: Versioned, derive: (of: Versioned) => string): string {
    const known = kept.get(id);
    if (known?.version === key_version) return known.key;
    const key = derive({ id, key_version });
    if (kept.size >= KEPT) kept.clear();
    kept.set(id, { version: key_version, key });
    return key;
  }
  const publisherKey = (channel: Versioned) => keep(channel, keys.publisherKey);
  const subscriberKey = (webhook: Versioned) => keep(webhook, keys.subscriberKey);

  return {
    publisherKey,
    subscriberKey,
    signingSecret: ({ id, secret_version }: { id: number; secret_version: number }): string =>
      showSecret(keys.signingSecret(id, secret_version)),
    isPublisherOf: (channel: Versioned, key: string): boolean => sameKey(publisherKey(channel), key),
    isSubscriberOf: (webhook: Versioned, key: string): boolean => sameKey(subscriberKey(webhook), key),

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
