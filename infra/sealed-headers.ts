import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import type { SealedHeaders } from '../domain/webhook-headers.ts';
import type { Keys } from './keys.ts';

/** AES-256-GCM as NIST SP 800-38D has it: a random IV of 96 bits, a tag of 128. */
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

export type Headers = Readonly<Record<string, string>>;
type Sealer = Pick<Keys, 'headerKey' | 'madeWith'>;

/** The headers of a webhook as facts may hold them: names as they are, values encrypted, each so that it opens nowhere else. */
export function sealHeaders(
  { headerKey, madeWith: made_with }: Sealer,
  webhookId: number,
  headers: Headers,
): SealedHeaders {
  const key = headerKey(webhookId, made_with);
  return mapValues(headers, (value, name) => ({ made_with, sealed: encrypt(key, name, value) }));
}

/** @throws MasterSecretMissing; Error where a value was changed, or sealed for another webhook or header */
export function openHeaders(
  { headerKey }: Pick<Sealer, 'headerKey'>,
  webhookId: number,
  sealed: SealedHeaders,
): Headers {
  return mapValues(sealed, (value, name) => decrypt(headerKey(webhookId, value.made_with), name, value.sealed));
}

function encrypt(key: KeyObject, name: string, value: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(name));
  const encrypted = [cipher.update(value, 'utf8'), cipher.final()];
  return Buffer.concat([iv, cipher.getAuthTag(), ...encrypted]).toString('base64');
}

function decrypt(key: KeyObject, name: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const [iv, tag] = [bytes.subarray(0, IV_BYTES), bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)];
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(name))
    .setAuthTag(tag);
  return decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
}

function mapValues<V, W>(
  values: Readonly<Record<string, V>>,
  map: (value: V, name: string) => W,
): Readonly<Record<string, W>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value, name)]));
}
