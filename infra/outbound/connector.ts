import { type LookupAddress, lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { isPublicAddress } from './address.ts';

/** The address that a webhook's host stands for must not be reached from here. */
export class BlockedAddress extends Error {
  readonly code = 'BLOCKED_ADDRESS';
  constructor(host: string) {
    super(`${host} is not an address of the public internet`);
    this.name = 'BlockedAddress';
  }
}

/**
 * Connects only to addresses of the public internet, whatever a name resolves to: the check is made on the address that is
 * dialled, so a name that changes its answer between check and use gains nothing.
 */
export function createConnector(options: {
  timeoutMs: number;
  allowPrivateNetworks: boolean;
}): buildConnector.connector {
  const { timeoutMs: timeout, allowPrivateNetworks } = options;
  if (allowPrivateNetworks) return buildConnector({ timeout });
  const connect = buildConnector({ timeout, lookup: lookupPublic } as buildConnector.BuildOptions);
  return (target, callback) => {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !isPublicAddress(host)) callback(new BlockedAddress(host), null);
    else connect(target, callback);
  };
}

const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error) return callback(error, []);
    const [first] = addresses;
    if (!first || addresses.some(({ address }) => !isPublicAddress(address))) {
      return callback(new BlockedAddress(hostname), []);
    }
    if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
