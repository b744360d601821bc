import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { createMasterSecrets, type MadeWith } from './master-secrets.ts';

/** A channel or webhook: the version of its key, and what that was made with. */
export interface KeyHolder {
  readonly id: number;
  readonly key_version: number;
  readonly key_made_with?: MadeWith;
}

/** One version of a webhook's signing secret, and what it was made with. */
export interface SecretVersion {
  readonly version: number;
  readonly made_with?: MadeWith;
}

export type Keys = ReturnType<typeof createKeys>;

/**
 * Keys and signing secrets, derived from a master secret by HMAC-SHA-256 over their kind, their resource's id and their
 * version, so that they can be shown again and rotated without being stored anywhere. All throw MasterSecretMissing.
 * @param secrets the master secrets: the first makes what is new
 * @param unnamed the one that made what facts of before say nothing of; absent: the last
 */
export function createKeys(secrets: readonly string[], unnamed?: string) {
  const masters = createMasterSecrets(secrets, unnamed);
  const derive = (kind: string, id: number, version: number, madeWith: MadeWith) =>
    masters.derive(madeWith, `${kind}\n${id}\n${version}`);
  const key = (prefix: string, kind: string, { id, key_version, key_made_with }: KeyHolder) =>
    `${prefix}_${derive(kind, id, key_version, key_made_with).toString('hex', 0, 20)}`;
  return {
    /** Names of the master secrets; the one that makes what is new comes first. */
    names: masters.names,
    /** What facts say that what is new was made with. */
    madeWith: masters.newest,
    /** `pk_` and 40 hex digits. */
    publisherKey: (channel: KeyHolder): string => key('pk', 'publisher-key', channel),
    /** `sk_` and 40 hex digits. */
    subscriberKey: (webhook: KeyHolder): string => key('sk', 'subscriber-key', webhook),
    /** The 32 bytes that sign a webhook's deliveries. */
    signingSecret: (webhookId: number, { version, made_with }: SecretVersion): Buffer =>
      derive('signing-secret', webhookId, version, made_with),
    /** The Ed25519 key that signs a webhook's deliveries; it has the versions of the signing secret. */
    signingKey: (webhookId: number, { version, made_with }: SecretVersion): KeyObject =>
      privateKey(derive('signing-key', webhookId, version, made_with)),
    /** The Ed25519 key that signs the heads of the tree over the log. */
    treeHeadKey: (): KeyObject => privateKey(masters.derive(masters.newest, 'tree-head-key')),
    /** The AES-256 key of the values of a webhook's headers. */
    headerKey: (webhookId: number, madeWith: MadeWith): KeyObject =>
      createSecretKey(derive('header-values', webhookId, 1, madeWith)),
    /** What stands for a text that must not be known, wherever it only matters whether two are the same. */
    blinded: (text: string): string => masters.derive(undefined, `blinded\n${text}`).toString('hex'),
  };
}

/** A signing secret as it is shown: `whsec_` and base64 (Standard Webhooks). */
export function showSecret(secret: Buffer): string {
  return `whsec_${secret.toString('base64')}`;
}

/** The public half of a signing key as it is shown: `whpk_` and base64 (Standard Webhooks). */
export function showPublicKey(signingKey: KeyObject): string {
  return `whpk_${publicKeyOf(signingKey).toString('base64')}`;
}

/** The 32 bytes of the public key that belongs to an Ed25519 key. */
export function publicKeyOf(privateKey: KeyObject): Buffer {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return Buffer.from(x, 'base64url');
}

/** An Ed25519 public key of its 32 bytes. @throws Error where they are none */
export function publicKeyFrom(bytes: Uint8Array): KeyObject {
  const x = Buffer.from(bytes).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

/** What PKCS #8 writes before the 32 bytes of an Ed25519 key: https://www.rfc-editor.org/rfc/rfc8410#section-7 */
const ED25519_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

function privateKey(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([ED25519_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

/** Compares two keys in a time that tells nothing about where they differ. Of what form, and so how long, they are, is known. */
export function sameKey(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Compares two secrets of any length in a time that tells nothing of either, nor how long the one is that is kept. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
