import { createSecretKey, type KeyObject } from 'node:crypto';
import type { SecretVersion } from '../../domain/webhook.ts';
import type { Keys } from '../../infra/keys.ts';
import { type Headers, openHeaders } from '../../infra/sealed-headers.ts';
import type { WebhookView } from '../../projections/webhooks.ts';

/** Webhooks whose credentials are kept. */
const KEPT = 10_000;

/** What a webhook's deliveries are sent with. */
export interface Credentials {
  /** Its own headers, their names in lower case. */
  readonly headers: Headers | undefined;
  /** The keys that sign at a time, in ms since the epoch. */
  readonly signersAt: (atMs: number) => readonly KeyObject[];
}

/** The credentials of webhooks: derived and opened once for many attempts, until the webhook's settings change. */
export function createCredentials(keys: Keys): (webhook: WebhookView) => Credentials {
  const kept = new Map<number, { readonly revision: number; readonly credentials: Credentials }>();
  return (webhook) => {
    const { id, revision } = webhook;
    const known = kept.get(id);
    if (known?.revision === revision) return known.credentials;
    const credentials = { headers: headersOf(keys, webhook), signersAt: signersOf(keys, webhook) };
    if (kept.size >= KEPT) kept.clear();
    kept.set(id, { revision, credentials });
    return credentials;
  };
}

function headersOf(keys: Keys, { id, fields: { headers } }: WebhookView): Headers | undefined {
  if (headers === undefined) return undefined;
  const opened = Object.entries(openHeaders(keys, id, headers));
  return Object.fromEntries(opened.map(([name, value]) => [name.toLowerCase(), value]));
}

function signersOf(keys: Keys, webhook: WebhookView): Credentials['signersAt'] {
  const { id, fields, secret, previous_secrets } = webhook;
  const { signatures = ['v1'] } = fields;
  const signers = (version: SecretVersion): KeyObject[] =>
    signatures.map((scheme) =>
      scheme === 'v1' ? createSecretKey(keys.signingSecret(id, version)) : keys.signingKey(id, version),
    );
  const present = signers(secret);
  if (previous_secrets.length === 0) return () => present;
  const previous = previous_secrets.map((of) => ({ untilMs: Date.parse(of.until), signers: signers(of) }));
  return (atMs) => [...present, ...previous.flatMap((of) => (atMs < of.untilMs ? of.signers : []))];
}
