import type { AttemptError } from '../../domain/delivery.ts';

/** We have waited, or read, for as long as we do. */
export class TimeLimit extends Error {}

/** By `code` of our, Node's and undici's errors. */
const ERRORS: Readonly<Record<string, AttemptError>> = {
  BLOCKED_ADDRESS: 'blocked_address',
  ECONNREFUSED: 'connection_refused',
  EHOSTUNREACH: 'connection_refused',
  ENETUNREACH: 'connection_refused',
  EADDRNOTAVAIL: 'connection_refused',
  EACCES: 'connection_refused',
  ECONNRESET: 'connection_reset',
  EPIPE: 'connection_reset',
  UND_ERR_SOCKET: 'connection_reset',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  ETIMEDOUT: 'timeout',
  ENOTFOUND: 'dns',
  ENODATA: 'dns',
  EPROTO: 'tls',
};

/** What went wrong, in the words of the notification log. */
export function attemptError(error: Error): AttemptError {
  if (error instanceof TimeLimit) return 'timeout';
  const code = codeOf(error);
  const known = ERRORS[code];
  if (known) return known;
  if (code.startsWith('EAI_')) return 'dns';
  return /^(ERR_SSL|ERR_TLS|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH)/.test(code) ? 'tls' : 'protocol';
}

/** Whether the other side closed the connection, in one of the ways in which one notices. */
export function isConnectionLost(error: Error): boolean {
  return ERRORS[codeOf(error)] === 'connection_reset';
}

/** Of several addresses that were tried, the first one's. */
function codeOf(error: Error): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return String((first as NodeJS.ErrnoException).code ?? '');
}
