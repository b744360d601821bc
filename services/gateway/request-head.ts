import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem } from './problems.ts';

/** The most headers that a request may have. */
const MAX_HEADERS = 100;

/** Headers of which two would leave it to chance which one counts: servers and proxies disagree about that. */
const ONCE = [
  'host',
  'authorization',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'idempotency-key',
  'last-event-id',
  'x-request-id',
  'origin',
  'sec-fetch-site',
];

/**
 * Whether what Node takes for a request is one that means one thing only.
 * @throws Problem malformed-request, headers-too-large
 */
export function checkHead({ httpVersionMajor, httpVersionMinor, headers, rawHeaders }: IncomingMessage): void {
  // The parser takes HTTP/0.9 as well, which has no headers.
  if (httpVersionMajor !== 1) throw new Problem('malformed-request', 'Send HTTP/1.1.');
  if (rawHeaders.length > 2 * MAX_HEADERS) {
    throw new Problem('headers-too-large', `A request may have ${MAX_HEADERS} headers.`);
  }
  // https://www.rfc-editor.org/rfc/rfc9112#section-3.2
  if (headers.host === undefined && httpVersionMinor >= 1) {
    throw new Problem('malformed-request', 'The Host header is missing.');
  }
  // Names that come twice are one property: without any there is nothing more to look at.
  if (Object.keys(headers).length * 2 !== rawHeaders.length) refuseTwice(rawHeaders);
}

function refuseTwice(rawHeaders: readonly string[]): void {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    if (seen.has(name) && ONCE.includes(name)) {
      throw new Problem('malformed-request', `The header ${name} is there twice.`);
    }
    seen.add(name);
  }
}

/** What can stand in a log line, a header and a fact as it is. */
const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:@=+/-]{0,127}$/;

/** The id that the client or a proxy gave the request, where it is a sane one. */
export function givenRequestId({ headers }: IncomingMessage): string | undefined {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : undefined;
}

/** Requests of one connection that may wait behind the one that is being answered. */
const MAX_PIPELINED = 100;

/**
 * Keeps count of requests that a client sends on a connection before earlier ones are answered.
 * @returns a function that throws Problem pipelined-too-many
 */
export function createPipelineCheck() {
  const waiting = new WeakMap<object, number>();
  return (request: IncomingMessage, response: ServerResponse): void => {
    // The first in the line has the socket.
    if (response.socket) return;
    const { socket } = request;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (count > MAX_PIPELINED) {
      const detail = `At most ${MAX_PIPELINED} requests may wait on one connection.`;
      throw new Problem('pipelined-too-many', detail, { headers: { Connection: 'close' } });
    }
    waiting.set(socket, count);
    response.once('close', () => waiting.set(socket, (waiting.get(socket) as number) - 1));
  };
}
