import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** All of IPv6 that is given out as global unicast (IANA): what lies outside is reserved, or stands for something else. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an IP address is one of the public internet's; private, local and reserved ones are not, nor are those that carry
 * another one in a tunnel's or translator's prefix.
 */
export function isPublicAddress(address: string): boolean {
  const canonical = canonicalOf(address);
  if (canonical === undefined) return false;
  // An IPv4-mapped address is the IPv4 address: that is what the system dials.
  const ip = ipaddr.process(canonical);
  return ip.range() === 'unicast' && (ip.kind() === 'ipv4' || ip.match(GLOBAL_UNICAST));
}

/** Without dots in IPv6, where ipaddr.js takes `::8.8.8.8` for mapped; undefined where it is no address, or one of a single link. */
function canonicalOf(address: string): string | undefined {
  if (isIP(address) !== 6) return isIP(address) === 4 ? address : undefined;
  return URL.parse(`http://[${address}]`)?.hostname.slice(1, -1);
}
