import type { Socket } from 'node:net';
import { Client } from 'undici';
import type { Logger } from '../log.ts';

/** The proxy has not led there. */
export class NoTunnel extends Error {
  readonly code: string;
  /** Whether the reason lies with the proxy, and so with whoever runs it, and not with the address asked for. */
  readonly isProxyAtFault: boolean;

  constructor(code: string, message: string, isProxyAtFault: boolean) {
    super(message);
    this.name = 'NoTunnel';
    this.code = code;
    this.isProxyAtFault = isProxyAtFault;
  }
}

/** Connects through a proxy to the first of these addresses that it can reach. @throws NoTunnel */
export type Tunnel = (addresses: readonly string[], port: number) => Promise<Socket>;

/** Statuses by which proxies say what is the matter (RFC 9110), as codes that `attemptError` knows. */
const CODES: Readonly<Record<number, string>> = { 403: 'BLOCKED_ADDRESS', 408: 'ETIMEDOUT', 504: 'ETIMEDOUT' };

/** Statuses that say that it is not about the address: Proxy Authentication Required, Method Not Allowed, Not Implemented. */
const AT_FAULT: readonly number[] = [400, 401, 405, 407, 501];

/**
 * Tunnels through an HTTP proxy (CONNECT, RFC 9110, section 9.3.6).
 * @param proxy its URL, http or https; user info goes to it as Basic credentials
 */
export function createTunnel(proxy: string, { timeoutMs, log }: { timeoutMs: number; log: Logger }): Tunnel {
  const { origin, username, password } = new URL(proxy);
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const authorization = username === '' ? {} : { 'proxy-authorization': `Basic ${credentials}` };
  const noteWhether = createNote(origin, log);

  async function dig(address: string, port: number, signal: AbortSignal): Promise<Socket> {
    const path = `${address.includes(':') ? `[${address}]` : address}:${port}`;
    // One for each: what has become a tunnel is no longer a connection of the client.
    const client = new Client(origin, { connect: { timeout: timeoutMs, rejectUnauthorized: true, allowH2: false } });
    try {
      const { statusCode, socket } = await client.connect({ path, headers: { ...authorization, host: path }, signal });
      if (statusCode >= 200 && statusCode < 300) return socket as Socket;
      socket.destroy();
      const code = CODES[statusCode] ?? 'ECONNREFUSED';
      throw new NoTunnel(code, `the proxy answered ${statusCode} for ${path}`, AT_FAULT.includes(statusCode));
    } catch (error) {
      throw error instanceof NoTunnel ? error : noAnswer(path, error as NodeJS.ErrnoException, signal);
    } finally {
      void client.destroy();
    }
  }

  return async (addresses, port) => {
    const signal = AbortSignal.timeout(timeoutMs);
    let last: unknown;
    for (const address of addresses) {
      try {
        const socket = await dig(address, port, signal);
        noteWhether(true);
        return socket;
      } catch (error) {
        last = error;
        if (error instanceof NoTunnel && error.isProxyAtFault) noteWhether(false, error);
      }
    }
    throw last;
  };
}

/** A proxy that takes its time is waiting for the address; one that cannot be reached, or speaks another protocol, is at fault itself. */
function noAnswer(path: string, { code, message }: NodeJS.ErrnoException, signal: AbortSignal): NoTunnel {
  const isLate = signal.aborted || code === 'UND_ERR_CONNECT_TIMEOUT';
  const text = `the proxy did not answer for ${path}: ${message}`;
  return new NoTunnel(isLate ? 'ETIMEDOUT' : 'ECONNREFUSED', text, !signal.aborted);
}

/** Says once that the proxy cannot be used, and once that it can again. */
function createNote(proxy: string, log: Logger) {
  let isUsable = true;
  return (nowUsable: boolean, err?: Error) => {
    if (nowUsable === isUsable) return;
    isUsable = nowUsable;
    if (isUsable) log.info({ proxy }, 'the proxy of deliveries can be used again');
    else log.warn({ err, proxy }, 'the proxy of deliveries cannot be used');
  };
}
