import type { Event } from './api.ts';

/** Why a delivery is not to be trusted. */
export type SignatureFault =
  | 'headers-missing'
  | 'timestamp-malformed'
  | 'timestamp-too-old'
  | 'timestamp-too-new'
  | 'no-signature-matches'
  | 'body-malformed';

export class SignatureError extends Error {
  readonly fault: SignatureFault;

  constructor(fault: SignatureFault, message: string) {
    super(message);
    this.name = 'SignatureError';
    this.fault = fault;
  }
}

/** A request as any framework has it: its headers, and its body as it came. */
export interface ReceivedRequest {
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The bytes or the text, before anything has parsed them. */
  readonly body: string | Uint8Array;
}

export interface VerifyOptions {
  /** How far the time of an attempt may be from now, in seconds: 300 unless said otherwise. */
  readonly toleranceSeconds?: number | undefined;
  /** Now, in ms since the epoch. */
  readonly nowMs?: number | undefined;
}

/** What was delivered. */
export interface Delivered {
  /** The same for every attempt of one event to one webhook: remember it to do nothing twice. */
  readonly id: string;
  readonly event: Event;
}

const TOLERANCE_SECONDS = 300;

/**
 * The event of a delivery, once it is certain that the server has signed it, and not long ago (https://www.standardwebhooks.com).
 * @param keys the webhook's `signing_secret` (`whsec_…`), or one of its `public_keys` (`whpk_…`); several, such as the old and the new one, in a list
 * @throws SignatureError; TypeError where a key is none, or the body was parsed already
 */
export async function verify(
  keys: string | readonly string[],
  { headers, body }: ReceivedRequest,
  { toleranceSeconds = TOLERANCE_SECONDS, nowMs = Date.now() }: VerifyOptions = {},
): Promise<Delivered> {
  const bytes = bytesOf(body);
  const known = typeof keys === 'string' ? [keys] : keys;
  if (known.length === 0) throw new TypeError('there is no key to verify with');
  const [id, timestamp, signatures] = HEADERS.map((name) => headerIn(headers, name)) as [string, string, string];
  checkTime(timestamp, nowMs / 1_000, toleranceSeconds);
  const signed = joined(new TextEncoder().encode(`${id}.${timestamp}.`), bytes);
  if (!(await isSignedByAny(known, signatures, signed))) {
    throw new SignatureError('no-signature-matches', 'no signature was made with a key that is known here');
  }
  return { id, event: eventIn(bytes) };
}

const HEADERS = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];

function headerIn(headers: ReceivedRequest['headers'], name: string): string {
  const value = isHeaders(headers) ? headers.get(name) : valueIn(headers, name);
  if (value) return value;
  throw new SignatureError('headers-missing', `the header ${name} is missing`);
}

function isHeaders(headers: ReceivedRequest['headers']): headers is Headers {
  return typeof headers.get === 'function';
}

function valueIn(headers: Readonly<Record<string, string | readonly string[] | undefined>>, name: string) {
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? [];
  return typeof value === 'string' ? value : value?.join(' ');
}

function checkTime(timestamp: string, now: number, tolerance: number): void {
  if (!/^\d{1,15}$/.test(timestamp)) throw new SignatureError('timestamp-malformed', `${timestamp} is no time`);
  const ageSeconds = now - Number(timestamp);
  if (ageSeconds > tolerance) throw new SignatureError('timestamp-too-old', 'it was signed too long ago');
  if (ageSeconds < -tolerance)
    throw new SignatureError('timestamp-too-new', 'it was signed in what is the future here');
}

/** The kinds of keys, by how they begin: which signatures they make, and how these are verified. */
const KINDS = {
  whsec_: { scheme: 'v1', algorithm: { name: 'HMAC', hash: 'SHA-256' } },
  whpk_: { scheme: 'v1a', algorithm: { name: 'Ed25519' } },
} as const;

async function isSignedByAny(keys: readonly string[], signatures: string, signed: Bytes): Promise<boolean> {
  const given = signatures.split(' ').map((signature) => signature.split(',', 2));
  for (const key of keys) {
    const { scheme, algorithm, raw } = kindOf(key);
    const imported = await crypto.subtle.importKey('raw', raw, algorithm, false, ['verify']);
    for (const [its, text = ''] of given) {
      const signature = its === scheme ? fromBase64(text) : undefined;
      // It takes as long wherever the first difference is.
      if (signature && (await crypto.subtle.verify(algorithm, imported, signature, signed))) return true;
    }
  }
  return false;
}

function kindOf(key: string) {
  const [prefix, kind] = Object.entries(KINDS).find(([begin]) => key.startsWith(begin)) ?? [];
  const raw = prefix && fromBase64(key.slice(prefix.length));
  if (!kind || !raw) throw new TypeError('a key to verify with is whsec_ or whpk_ and base64');
  return { ...kind, raw };
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Undefined where it is none. */
function fromBase64(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.replace(/=+$/, '').length % 4 === 1) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  if (typeof body === 'string') return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  throw new TypeError(
    'the body must be as it came, a string or bytes: what was parsed and written again has other signatures',
  );
}

function joined(first: Uint8Array, second: Uint8Array): Bytes {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function eventIn(bytes: Uint8Array): Event {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new SignatureError('body-malformed', `it is signed, but no JSON: ${(error as Error).message}`);
  }
}
