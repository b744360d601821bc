import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { type Destinations, hostOf, portOf } from './destinations.ts';
import { createSharedResolver, type Resolver } from './resolver.ts';
import type { Tunnel } from './tunnel.ts';

/** What a webhook's host stands for must not be reached from here. */
export class BlockedAddress extends Error {
  readonly code = 'BLOCKED_ADDRESS';
  constructor(destination: string) {
    super(`${destination} is no place where deliveries may go`);
    this.name = 'BlockedAddress';
  }
}

export interface ConnectorOptions {
  readonly timeoutMs: number;
  readonly destinations: Destinations;
  readonly resolve?: Resolver;
  /** Leads out through a proxy where there is one. */
  readonly tunnel?: Tunnel | undefined;
}

/**
 * Connects only to where deliveries may go, whatever a name resolves to: the check is made on the addresses that are dialled and no others,
 * so a name that changes its answer between check and use gains nothing. Through a proxy it is the checked address, too, that the proxy is
 * asked for, never the name.
 */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const { timeoutMs, destinations, tunnel } = options;
  const resolve = createSharedResolver(options.resolve);

  function resolveAllowed(name: string, callback: Parameters<Resolver>[2]) {
    resolve(name, { all: true }, (error, found) => {
      if (error) return callback(error, []);
      const allowed = found.filter(({ address }) => destinations.allowsAddress(address));
      callback(allowed.length === 0 ? new BlockedAddress(name) : null, allowed);
    });
  }

  const lookupAllowed: LookupFunction = (name, { all }, callback) => {
    resolveAllowed(name, (error, addresses) => {
      const [first] = addresses;
      if (error || !first) callback(error, []);
      else if (all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  const connect = buildConnector({ ...TLS, ...DIAL, timeout: timeoutMs, lookup: lookupAllowed });

  async function connectThrough(dig: Tunnel, target: buildConnector.Options, host: string, port: number) {
    const addresses = isIP(host) === 0 ? await promised(host) : [host];
    const socket = await dig(addresses, port);
    return target.protocol === 'https:' ? secured({ ...target, httpSocket: socket }) : socket;
  }

  const promised = (name: string) =>
    new Promise<string[]>((found, reject) => {
      resolveAllowed(name, (error, addresses) => {
        if (error) reject(error);
        else found(addresses.map(({ address }) => address));
      });
    });

  const secured = (target: buildConnector.Options) =>
    new Promise<Socket>((connected, reject) => {
      connect(target, (error, socket) => (error ? reject(error) : connected(socket as Socket)));
    });

  return (target, callback) => {
    const host = hostOf(target);
    const port = portOf(target);
    if (!destinations.allowsPort(port) || (isIP(host) !== 0 && !destinations.allowsAddress(host))) {
      callback(new BlockedAddress(`${host}:${port}`), null);
      return;
    }
    const named = { ...target, ...serverName(host) };
    if (!tunnel) connect(named, callback);
    else connectThrough(tunnel, named, host, port).then((socket) => callback(null, socket), failed(callback));
  };
}

const failed = (callback: buildConnector.Callback) => (error: Error) => callback(error, null);

/** What Node takes from the environment (NODE_TLS_REJECT_UNAUTHORIZED, --tls-min-v1.0) does not hold here. HTTP/1.1 alone: its limits are ours. */
const TLS = { rejectUnauthorized: true, minVersion: 'TLSv1.2', allowH2: false } as const;

/** How long each of several addresses is tried before the next one, in ms: Node's own 250 are too few for the other side of the world. */
const DIAL = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 1_000 } as const;

/** The server's name as TLS wants it: without the dot that ends an absolute name, and none for an address (RFC 6066, section 3). */
function serverName(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host.replace(/\.$/, '') } : {};
}
