import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import cors from '@koa/cors';
import type { Middleware } from 'koa';
import type { Settings } from '../../infra/settings.ts';
import { Problem } from './problems.ts';
import { METHODS } from './route.ts';

type Policy = Pick<Settings, 'host' | 'corsOrigins' | 'allowedHosts'>;

/** How long browsers may keep the answer to a preflight, in seconds. */
const PREFLIGHT_MAX_AGE_S = 600;

/** Lets pages of `CORS_ORIGINS` read answers; undefined where there are none, and then no page of another site may. */
export function createCors({ corsOrigins }: Pick<Policy, 'corsOrigins'>): Middleware | undefined {
  if (corsOrigins === undefined) return undefined;
  const isOpen = corsOrigins.includes('*');
  return cors({
    // An empty text is none. The key is in a header that the page sets: no credentials of the browser's are needed.
    origin: ({ req }) => (isOpen ? '*' : corsOrigins.includes(req.headers.origin ?? '') ? `${req.headers.origin}` : ''),
    allowMethods: [...METHODS],
    allowHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'Last-Event-ID', 'X-Request-Id'],
    exposeHeaders: [
      ...['Location', 'Link', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'WWW-Authenticate', 'X-Request-Id'],
    ],
    maxAge: PREFLIGHT_MAX_AGE_S,
    keepHeadersOnError: false,
  });
}

/**
 * Keeps out what a browser sends in its user's place, without their doing: changes that a page of another site asks for (CSRF; the browser adds
 * a key that was typed into its own prompt), and requests under a name that is not ours (DNS rebinding).
 * @returns a function that throws Problem host-unknown, cross-site
 */
export function createBrowserCheck({ host, corsOrigins = [], allowedHosts }: Policy) {
  const isOurs = hostCheck(host, allowedHosts);
  const isTrusted = (origin: string) => corsOrigins.includes(origin) || corsOrigins.includes('*');
  return ({ method, headers }: IncomingMessage): void => {
    if (headers.host !== undefined && !isOurs(headers.host)) {
      throw new Problem('host-unknown', 'This server does not go by the name in the Host header: see ALLOWED_HOSTS.');
    }
    if (isReading(method) || !isCrossSite(headers) || isTrusted(headers.origin ?? '')) return;
    throw new Problem('cross-site', 'A page of another site may not do that: see CORS_ORIGINS.');
  };
}

function isReading(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

/** https://www.w3.org/TR/fetch-metadata/; browsers without it tell at least the origin. */
function isCrossSite({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}

/** Without a list: on loopback only names and addresses that no foreign name server can lead here by, elsewhere any. */
function hostCheck(listensOn: string, allowed: readonly string[] | undefined): (host: string) => boolean {
  if (allowed === undefined && !isLoopback(listensOn)) return () => true;
  const isOurs = (name: string) => isLocalName(name) || (allowed?.includes(name) ?? false);
  let lastOurs: string | undefined;
  return (host) => {
    if (host === lastOurs) return true;
    if (!isOurs(nameOf(host))) return false;
    lastOurs = host;
    return true;
  };
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\./.test(address);
}

/** An address is not looked up, and localhost never leaves the machine: https://www.rfc-editor.org/rfc/rfc6761#section-6.3 */
function isLocalName(name: string): boolean {
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}

/** The name in a Host header: in lower case, without port, brackets and the dot at the end. */
function nameOf(host: string): string {
  return host
    .toLowerCase()
    .replace(/:[0-9]*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
