import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { createMatcher, type Network } from '../../infra/networks.ts';

/** Who has one IPv6 address commonly has all that share its first so many bits. */
const IPV6_SITE_BITS = 64;

/**
 * Whose request it is, for those who count by address: an IPv4 address, or the network of an IPv6 one. Where a trusted proxy says in X-Forwarded-For
 * for whom it speaks, that counts; what stands further left may be anybody's word.
 */
export function createClientAddress(trustedProxies: readonly Network[]): (request: IncomingMessage) => string {
  const isOfProxies = createMatcher(trustedProxies);
  const isTrusted = (address: string) => isOfProxies(ipaddr.parse(address));

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
