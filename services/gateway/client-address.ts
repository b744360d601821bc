import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Who has one IPv6 address commonly has all that share its first so many bits. */
const IPV6_SITE_BITS = 64;

/**
 * Whose request it is, for those who count by address: an IPv4 address, or the network of an IPv6 one. Where a trusted proxy says in X-Forwarded-For
 * for whom it speaks, that counts; what stands further left may be anybody's word.
 * @param trustedProxies addresses and networks (CIDR)
 */
export function createClientAddress(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const trusted = new BlockList();
  for (const network of trustedProxies) addTo(trusted, network);
  const isTrusted = (address: string) => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

  return ({ socket, headers }) => {
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',');
    let address = plain(socket.remoteAddress ?? '') ?? 'unknown';
    for (const hop of forwarded.split(',').reverse()) {
      if (isIP(address) === 0 || !isTrusted(address)) break;
      const before = plain(hop.trim());
      if (before === undefined) break;
      address = before;
    }
    return site(address);
  };
}

function addTo(list: BlockList, network: string): void {
  const [address = '', bits] = network.split('/');
  const kind = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (bits === undefined) list.addAddress(address, kind);
  else list.addSubnet(address, Number(bits), kind);
}

/** An address without port, brackets and zone, and IPv4 as IPv4; undefined where it is none. */
function plain(text: string): string | undefined {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(text) ?? [];
  const [, v4] = /^([\d.]+)(?::\d+)?$/.exec(text) ?? [];
  const [address = ''] = (bracketed ?? v4 ?? text).split('%');
  return isIP(address) === 0 ? undefined : ipaddr.process(address).toString();
}

function site(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address}/${IPV6_SITE_BITS}`)}/${IPV6_SITE_BITS}`;
}
