import { createHmac, type KeyObject } from 'node:crypto';

/**
 * The headers of Standard Webhooks (https://www.standardwebhooks.com, "v1": HMAC-SHA-256 over id, timestamp and body).
 * @param secrets the secret that signs; around a rotation, the one before it too. Node 24 takes six times as long for one that is no KeyObject yet
 */
export function signatureHeaders(
  id: string,
  atMs: number,
  body: Uint8Array,
  secrets: readonly KeyObject[],
): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signatures = secrets.map((secret) => {
    const hmac = createHmac('sha256', secret).update(`${id}.${timestamp}.`).update(body);
    return `v1,${hmac.digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
