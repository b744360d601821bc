import { createHmac, timingSafeEqual } from 'node:crypto';

/** A resource whose key has a version. */
interface Versioned {
  readonly id: number;
  readonly key_version: number;
}

export type Keys = ReturnType<typeof createKeys>;

/**
 * Keys and signing secrets, derived from the master secret by HMAC-SHA-256 over their kind, their resource's id and their
 * version, so that they can be shown again and rotated without being stored anywhere.
 */
export function createKeys(masterSecret: string) {
  const derive = (kind: string, id: number, version: number) =>
    createHmac('sha256', masterSecret).update(`${kind}\n${id}\n${version}`).digest();
  const key = (prefix: string, kind: string, { id, key_version }: Versioned) =>
    `${prefix}_${derive(kind, id, key_version).toString('hex', 0, 20)}`;
  return {
    /** `pk_` and 40 hex digits. */
    publisherKey: (channel: Versioned): string => key('pk', 'publisher-key', channel),
    /** `sk_` and 40 hex digits. */
    subscriberKey: (webhook: Versioned): string => key('sk', 'subscriber-key', webhook),
    /** The 32 bytes that sign a webhook's deliveries. */
    signingSecret: (webhookId: number, version: number): Buffer => derive('signing-secret', webhookId, version),
  };
}

/** A signing secret as it is shown: `whsec_` and base64 (Standard Webhooks). */
export function showSecret(secret: Buffer): string {
  return `whsec_${secret.toString('base64')}`;
}

/** Compares two keys in a time that tells nothing about where they differ. */
export function sameKey(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
