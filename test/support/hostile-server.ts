import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export type HostileServer = Awaited<ReturnType<typeof startHostileServer>>;

/** A server that does with the connections it gets what a test says, byte by byte. */
export async function startHostileServer(onConnection: (socket: Socket, nth: number) => void) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    onConnection(socket, connections);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    connections: (): number => connections,
    /** Connections that are open now. */
    open: (): number => sockets.size,
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Calls back for each request whose body has all come, on a connection that may carry several. */
export function onRequests(socket: Socket, handle: (text: string, nth: number) => void): void {
  let text = '';
  let nth = 0;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (;;) {
      const end = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text.slice(0, Math.max(0, end)))?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) return;
      const request = text.slice(0, end + 4 + length);
      text = text.slice(request.length);
      nth += 1;
      handle(request, nth);
    }
  });
}

export const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
