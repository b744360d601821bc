import { createHmac, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** PKCS #8 before the 32 bytes of an ed25519 private key: RFC 8410, section 7. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
/** SubjectPublicKeyInfo before the 32 bytes of an ed25519 public key: RFC 8410, section 4. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** The key of a deployment that signs the heads of the tree, derived from the master secret. */
export function treeHeadKey(masterSecret: string): KeyObject {
  const seed = createHmac('sha256', masterSecret).update('tree-head-key').digest();
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
}

/** The 32 bytes of the public key that belongs to an ed25519 private key. */
export function publicKeyOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI.length);
}

/** @param bytes 32 of them @throws Error where they are no ed25519 key */
export function publicKeyFrom(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI, bytes]), format: 'der', type: 'spki' });
}
