import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Problem, type ProblemCode } from './problems.ts';

/** A request's headers, and a whole request, must have arrived within these, in ms. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the 60 s that load balancers keep idle connections for, so that it is they who close them. */
const KEEP_ALIVE_MS = 65_000;
/** How often requests that are too slow are looked for, in ms. */
const SLOW_LOOK_MS = 2_000;
/** How long a stop waits for answers to requests that are under way, in ms. */
const DRAIN_MS = 15_000;

export interface HttpServer {
  readonly port: number;
  /** @throws Error where the address cannot be had */
  listen(port: number, host: string): Promise<void>;
  /** Resolves once every request that was accepted is answered, or `DRAIN_MS` have passed. */
  drain(): Promise<void>;
}

export function createHttpServer(listener: RequestListener): HttpServer {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: SLOW_LOOK_MS,
      noDelay: true,
    },
    listener,
  );
  server.on('clientError', answerRawly);
  const sockets = trackSockets(server);
  return {
    get port() {
      return (server.address() as AddressInfo).port;
    },
    async listen(port, host) {
      server.listen(port, host);
      await once(server, 'listening');
    },
    async drain() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      // Connections on which nothing was ever asked are not idle to Node.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      const deadline = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
      await closed;
      clearTimeout(deadline);
    },
  };
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

const CLIENT_ERRORS: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
};

/** Answers what never became a request. */
function answerRawly(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = new Problem(CLIENT_ERRORS[error.code ?? ''] ?? 'malformed-request', 'The connection ends here.');
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.code}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
