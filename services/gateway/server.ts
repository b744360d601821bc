import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from '../../infra/log.ts';
import { seldom } from '../../infra/seldom.ts';
import { answerConnect, createRawAnswers } from './raw-answers.ts';

/** What a connection may take of the server, in ms unless said otherwise. */
export const LIMITS = {
  /** A request's headers, and a whole request, must have arrived within these: https://en.wikipedia.org/wiki/Slowloris_(cyber_attack) */
  headersMs: 10_000,
  requestMs: 30_000,
  /** Longer than the 60 s that load balancers keep idle connections for, so that it is they who close them. */
  keepAliveMs: 65_000,
  /** How long a client may take no byte of its answer. */
  silenceMs: 120_000,
  /** How often requests that are too slow are looked for. */
  slowLookMs: 2_000,
  /** Bytes of a request's line and headers together. */
  headerBytes: 16 * 1_024,
  /** Connections at a time: more are closed as they come. */
  connections: 10_000,
};

/** How long a stop waits for answers to requests that are under way, in ms. */
const DRAIN_MS = 7_000;
/** How often it is said at most that there are too many connections, in ms. */
const FULL_SAID_MS = 10_000;
const FULL = 'there are as many connections as MAX_CONNECTIONS allows: new ones are closed';

export interface HttpServer {
  readonly port: number;
  /** @throws Error where the address cannot be had */
  listen(port: number, host: string): Promise<void>;
  /** Resolves once every request that was accepted is answered, or `DRAIN_MS` have passed. */
  drain(): Promise<void>;
}

export function createHttpServer(
  listener: RequestListener,
  log: Logger,
  limits: Partial<typeof LIMITS> = {},
): HttpServer {
  const { headersMs, requestMs, keepAliveMs, silenceMs, slowLookMs, headerBytes, connections } = {
    ...LIMITS,
    ...limits,
  };
  const rawAnswers = createRawAnswers(log);
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: slowLookMs,
      maxHeaderSize: headerBytes,
      // Node would answer these without a body, and drop headers without a word: checkHead does both aloud.
      requireHostHeader: false,
      noDelay: true,
    },
    listener,
  );
  server.maxHeadersCount = 0;
  server.maxConnections = connections;
  server.setTimeout(silenceMs);
  server.prependListener('request', rawAnswers.noteRequest);
  // What else a client expects than 100-continue, it goes without (RFC 9110, section 10.1.1).
  server.on('checkExpectation', listener);
  server.on('clientError', rawAnswers.answer);
  server.on('connect', answerConnect);
  server.on(
    'drop',
    seldom(FULL_SAID_MS, () => log.warn(FULL)),
  );
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
