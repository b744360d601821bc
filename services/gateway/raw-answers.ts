import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '../../infra/log.ts';
import { Problem, type ProblemCode } from './problems.ts';
import { METHODS } from './route.ts';
import { STANDING_HEADERS } from './standing-headers.ts';

/** How long a client has to take its last answer before its connection is gone, in ms. */
const LINGER_MS = 1_000;

/** What Node's parser says of a request that is none, with where in the packet it stopped. */
export interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

/**
 * Answers what never became a request, each connection once. Such an answer must not pass for the one to an earlier request of the connection
 * that is still being worked on: it waits until that one has its own.
 */
export function createRawAnswers(log: Logger) {
  const answered = new WeakSet<Duplex>();
  const newest = new WeakMap<Duplex, ServerResponse>();

  function answerLast(error: ParserError, socket: Duplex): void {
    const problem = problemOf(error);
    const requestId = sendProblem(socket, problem, isForHead(error));
    log.debug({ request_id: requestId, parser: error.code, status: problem.status }, 'answered what is no request');
  }

  return {
    /** To be told of each request before anybody else is. */
    noteRequest(_request: IncomingMessage, response: ServerResponse): void {
      if (response.req.socket) newest.set(response.req.socket, response);
    },
    answer(error: ParserError, socket: Duplex): void {
      if (answered.has(socket)) return;
      answered.add(socket);
      if (error.code === 'ECONNRESET' || !socket.writable) {
        socket.destroy();
        return;
      }
      const last = newest.get(socket);
      if (last === undefined || last.writableFinished) answerLast(error, socket);
      else if (last.req.complete) last.once('close', () => answerLast(error, socket));
      // The request itself is broken off: it has its turn and no answer yet, or it will get none.
      else if (last.socket && !last.headersSent) answerLast(error, socket);
      else socket.destroy();
    },
  };
}

/** CONNECT, for which Node has no request. */
export function answerConnect(_request: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => {});
  sendProblem(socket, unknownMethod('CONNECT'));
}

const CLIENT_ERRORS: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

function problemOf(error: ParserError): Problem {
  const method = error.code === 'HPE_INVALID_METHOD' && methodIn(error);
  if (method) return unknownMethod(method);
  return new Problem(CLIENT_ERRORS[error.code ?? ''] ?? 'malformed-request', 'The connection ends here.');
}

/** A token (RFC 9110, section 5.6.2) in a line that is otherwise as a request's first one must be. */
const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) \S{1,8192} HTTP\/1\.[01]\r?\n/;

/** The method of a request that was well-formed but for that nobody knows it. */
function methodIn({ rawPacket, bytesParsed = 0 }: ParserError): string | undefined {
  if (rawPacket === undefined) return undefined;
  const lineStart = bytesParsed === 0 ? 0 : rawPacket.lastIndexOf('\n', bytesParsed - 1) + 1;
  return REQUEST_LINE.exec(rawPacket.toString('latin1', lineStart))?.[1];
}

/** Whether the last request that begins in the packet is a HEAD: whoever sent it would take a body for an answer that they did not ask for. */
function isForHead({ rawPacket, bytesParsed }: ParserError): boolean {
  const text = rawPacket?.toString('latin1', 0, bytesParsed) ?? '';
  const before = text.lastIndexOf('\r\n\r\n');
  return text.startsWith('HEAD ', before === -1 ? 0 : before + 4);
}

function unknownMethod(method: string): Problem {
  const Allow = [...METHODS, 'OPTIONS'].join(', ');
  return new Problem('method-not-allowed', `Nothing here takes ${method}.`, { headers: { Allow } });
}

/** @returns the id that the answer has */
function sendProblem(socket: Duplex, problem: Problem, isHead = false): string {
  const body = JSON.stringify(problem);
  const requestId = randomUUID();
  const headers = {
    ...STANDING_HEADERS,
    ...problem.headers,
    'X-Request-Id': requestId,
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${problem.code}\r\n${lines.join('')}\r\n${isHead ? '' : body}`);
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  return requestId;
}
