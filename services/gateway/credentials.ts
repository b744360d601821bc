import { sameSecret } from '../../infra/keys.ts';
import { Problem } from './problems.ts';

const DERIVED_KEY = /^[ps]k_[0-9a-f]{40}$/;

/**
 * The key of an Authorization header: a Basic user name with an empty password, or a Bearer token; undefined where there
 * is no header.
 * @throws Problem key-malformed
 */
export function readKey(authorization: string | undefined, adminKey: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const key = credentialsOf(authorization);
  if (key !== undefined && (DERIVED_KEY.test(key) || isAdminKey(key, adminKey))) return key;
  throw new Problem(
    'key-malformed',
    'Send the key as the user name of HTTP Basic with an empty password, or as Bearer.',
  );
}

export function isAdminKey(key: string | undefined, adminKey: string | undefined): boolean {
  return key !== undefined && adminKey !== undefined && sameSecret(key, adminKey);
}

function credentialsOf(authorization: string): string | undefined {
  const end = authorization.indexOf(' ');
  const credentials = authorization.slice(end + 1).trim();
  switch (authorization.slice(0, end).toLowerCase()) {
    case 'bearer':
      return credentials;
    case 'basic':
      return userName(credentials);
    default:
      return undefined;
  }
}

function userName(credentials: string): string | undefined {
  const decoded = Buffer.from(credentials, 'base64').toString();
  return decoded.endsWith(':') ? decoded.slice(0, -1) : undefined;
}
