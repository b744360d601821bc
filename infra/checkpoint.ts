import { hash, type KeyObject, sign, verify } from 'node:crypto';
import type { TreeHead } from '../domain/tree-head.ts';
import { publicKeyFrom, publicKeyOf } from './keys.ts';

/** Says that a signature is ed25519's: https://c2sp.org/signed-note */
const ED25519 = Buffer.from([0x01]);
const ID_BYTES = 4;

/**
 * Signs a head: a checkpoint (https://c2sp.org/tlog-checkpoint) of origin, size, root and, as its extension, the time.
 * @param atMs in ms since the epoch
 */
export function signCheckpoint(key: KeyObject, size: number, root: Buffer, atMs: number): TreeHead {
  const publicKey = publicKeyOf(key);
  const origin = originOf(publicKey);
  const root_hash = root.toString('base64');
  const at = new Date(atMs).toISOString();
  const text = `${origin}\n${size}\n${root_hash}\ntime ${at}\n`;
  const signature = Buffer.concat([keyId(origin, publicKey), sign(null, Buffer.from(text), key)]).toString('base64');
  const note = `${text}\n— ${origin} ${signature}\n`;
  return { tree_size: size, root_hash, at, note, public_key: publicKey.toString('base64') };
}

/** What a checkpoint says. */
export type Checkpoint = Pick<TreeHead, 'tree_size' | 'root_hash' | 'at'>;

const NOTE =
  /^(?<text>(?<origin>.+)\n(?<size>0|[1-9][0-9]{0,15})\n(?<root>[A-Za-z0-9+/]{43}=)\ntime (?<at>.+)\n)\n— (?<name>.+) (?<signature>[A-Za-z0-9+/=]+)\n$/;

/**
 * Reads a signed checkpoint.
 * @param publicKey the 32 bytes of the key that must have signed it
 * @throws Error that says what is wrong with it
 */
export function openCheckpoint(note: string, publicKey: Uint8Array): Checkpoint {
  const { text, origin, size, root, at, name, signature } = NOTE.exec(note)?.groups ?? {};
  if (text === undefined || origin === undefined || signature === undefined || root === undefined || at === undefined) {
    throw new Error('it is no signed checkpoint of ours');
  }
  const bytes = Buffer.from(signature, 'base64');
  const isOurs =
    name === origin &&
    bytes.subarray(0, ID_BYTES).equals(keyId(origin, publicKey)) &&
    verify(null, Buffer.from(text), publicKeyFrom(publicKey), bytes.subarray(ID_BYTES));
  if (!isOurs) throw new Error('its signature is not that of the key');
  return { tree_size: Number(size), root_hash: root, at };
}

/** Names the log, and the key that signs its heads. */
function originOf(publicKey: Uint8Array): string {
  return `webhooks-${hash('sha256', publicKey, 'hex').slice(0, 16)}`;
}

function keyId(name: string, publicKey: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), ED25519, publicKey]), 'buffer').subarray(0, ID_BYTES);
}
