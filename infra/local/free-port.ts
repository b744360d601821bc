import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { CannotStart } from './cannot-start.ts';

/**
 * Below the ports that systems hand out to outgoing connections (from 32768 on Linux, 49152 elsewhere): a client that keeps
 * trying one of those while its server restarts can end up connected to itself, and then the server finds its port taken.
 */
const [LOWEST, HIGHEST] = [15_000, 32_000] as const;
const TRIES = 50;

export async function freePort(host: string): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = randomInt(LOWEST, HIGHEST);
    const error = await tryListening(host, port);
    if (!error) return port;
    if (error.code !== 'EADDRINUSE') throw new CannotStart(whyNot(error, host, port));
  }
  throw new CannotStart(`found no free port on ${host}`);
}

export type Port = ReturnType<typeof createPort>;

/** The port of a server: chosen anew until it has served there, since another process may have taken it; then kept. */
export function createPort(choose: () => Promise<number>) {
  let port = 0;
  return {
    current: (): number => port,
    async forStart(wasReady: boolean): Promise<number> {
      if (!wasReady) port = await choose();
      return port;
    },
  };
}

/** @throws CannotStart where something else listens on the port, or it may not be used */
export async function checkFree(host: string, port: number): Promise<void> {
  const error = await tryListening(host, port);
  if (!error) return;
  throw new CannotStart(whyNot(error, host, port));
}

/** What keeps a gateway from listening, for whoever set its port and host. */
export function whyNot({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE') return `port ${port} is in use: end what listens on it, or set PORT to another one`;
  if (code === 'EACCES') return `port ${port} may not be used by this user: set PORT to 1024 or above`;
  return `cannot listen on HOST ${host}, PORT ${port}: ${message}`;
}

function tryListening(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
