import { createHmac, type KeyObject, sign } from 'node:crypto';

/**
 * The headers of Standard Webhooks (https://www.standardwebhooks.com) over id, timestamp and body.
 * @param keys those that sign: a secret makes a `v1` (HMAC-SHA-256), an Ed25519 key a `v1a`. Node 24 takes six times as long for a secret that is no KeyObject yet
 */
export function signatureHeaders(
  id: string,
  atMs: number,
  body: Uint8Array,
  keys: readonly KeyObject[],
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const before = `${id}.${timestamp}.`;
  const signatures = keys.map((key) => (key.type === 'secret' ? v1(key, before, body) : v1a(key, before, body)));
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

function v1(secret: KeyObject, before: string, body: Uint8Array): string {
  return `v1,${createHmac('sha256', secret).update(before).update(body).digest('base64')}`;
}

function v1a(key: KeyObject, before: string, body: Uint8Array): string {
  return `v1a,${sign(null, Buffer.concat([Buffer.from(before), body]), key).toString('base64')}`;
}
