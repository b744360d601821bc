import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Address } from './outbound/address.ts';

/** A block of addresses in CIDR notation, such as `10.0.0.0/8` or `2001:db8::/32`. */
export type Network = string;

/**
 * Reads networks that are separated by commas; a single address is a network too.
 * @throws Error that says what is accepted
 */
export function parseNetworks(text: string): readonly Network[] {
  return text.split(',').map((part) => parseNetwork(part.trim()));
}

function parseNetwork(text: string): Network {
  const [base = '', bits] = text.split('/', 2);
  const kind = isIP(base);
  const most = kind === 4 ? 32 : 128;
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (kind === 0 || base.includes('%') || text.split('/').length > 2 || !(length <= most)) {
    throw new Error(`must be networks such as 10.0.0.0/8 or fd00::/8, separated by commas, not "${text}"`);
  }
  const network = `${base}/${length}`;
  const first = (kind === 4 ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(network).toString();
  if (ipaddr.parse(base).toString() !== first) throw new Error(`must be networks: ${text} begins at ${first}`);
  if (kind === 6 && ipaddr.IPv6.parse(base).isIPv4MappedAddress()) {
    throw new Error(`must name IPv4 networks as such, not as the IPv4-mapped "${text}"`);
  }
  return network;
}

/** Makes the question whether an address lies in one of these networks. */
export function createMatcher(networks: readonly Network[]): (address: Address) => boolean {
  const ranges = networks.map((network) => ipaddr.parseCIDR(network));
  return (address) => ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
}
