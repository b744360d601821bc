import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** What a client asked the proxy for. */
export interface Asked {
  /** The authority of the CONNECT: `host:port`. */
  readonly to: string;
  readonly authorization: string | undefined;
}

export type ConnectProxy = Awaited<ReturnType<typeof startConnectProxy>>;

/** A real HTTP proxy that tunnels, or answers a CONNECT with the status that a test sets; `null` for no answer at all. */
export async function startConnectProxy() {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  let requests = 0;
  let statusOf: (to: string) => number | null = () => 200;
  const keep = (socket: Socket) => sockets.add(socket.on('error', () => socket.destroy()));

  const server = createServer((_, response) => {
    requests += 1;
    response.writeHead(405).end();
  });
  server.on('connect', ({ url: to = '', headers }, socket: Socket) => {
    keep(socket);
    asked.push({ to, authorization: headers['proxy-authorization'] });
    const status = statusOf(to);
    if (status === null) return;
    if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
    const { hostname, port } = new URL(`http://${to}`);
    const upstream = connect(Number(port), hostname.replace(/^\[|\]$/g, ''), () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    keep(upstream);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    asked: asked as readonly Asked[],
    url: (userInfo = '') => `http://${userInfo}127.0.0.1:${port}`,
    /** Requests that were no CONNECT. */
    otherRequests: () => requests,
    answer(status: (to: string) => number | null): void {
      statusOf = status;
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
