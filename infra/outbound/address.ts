import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** All of IPv6 that is given out as global unicast (IANA): what lies outside is reserved, or stands for something else. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** An IP address; the zone of one that is of a single link does not count. Undefined where the text is none in its usual spelling. */
export function parseAddress(text: string): Address | undefined {
  const kind = isIP(text);
  if (kind === 4) return ipaddr.IPv4.parse(text);
  if (kind !== 6) return undefined;
  // Without dots in IPv6, where ipaddr.js takes `::8.8.8.8` for mapped.
  const canonical = URL.parse(`http://[${text.split('%', 1)[0]}]`)?.hostname.slice(1, -1);
  return canonical === undefined ? undefined : ipaddr.IPv6.parse(canonical);
}

/**
 * Whether an address is one of the public internet's; private, local and reserved ones are not (the ranges of ipaddr.js, which are
 * those of the IANA special-purpose registries, and all of IPv6 that is not global unicast), nor are those that carry one of IPv4, even
 * a public one: they stand for a tunnel, a translator, or another spelling.
 */
export function isPublic(address: Address): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST));
}

/** Where prefixes of tunnels and translators keep an IPv4 address: its first byte, and whether its bits are turned round. */
const CARRIERS: readonly { prefix: ipaddr.IPv6; bits: number; at: number; isInverted?: boolean }[] = [
  // NAT64: RFC 6052, RFC 8215.
  { prefix: ipaddr.IPv6.parse('64:ff9b::'), bits: 96, at: 12 },
  { prefix: ipaddr.IPv6.parse('64:ff9b:1::'), bits: 48, at: 12 },
  // 6to4: RFC 3056.
  { prefix: ipaddr.IPv6.parse('2002::'), bits: 16, at: 2 },
  // Teredo: server and client, RFC 4380.
  { prefix: ipaddr.IPv6.parse('2001::'), bits: 32, at: 4 },
  { prefix: ipaddr.IPv6.parse('2001::'), bits: 32, at: 12, isInverted: true },
  // IPv4-mapped (the system dials the IPv4 address) and -compatible: RFC 4291. IPv4-translated: RFC 2765.
  { prefix: ipaddr.IPv6.parse('::ffff:0:0'), bits: 96, at: 12 },
  { prefix: ipaddr.IPv6.parse('::'), bits: 96, at: 12 },
  { prefix: ipaddr.IPv6.parse('::ffff:0:0:0'), bits: 96, at: 12 },
];

/** The IPv4 addresses that an address carries, which something on the way may dial in its place. */
export function carriedIPv4(address: Address): ipaddr.IPv4[] {
  if (!(address instanceof ipaddr.IPv6) || NOT_COMPATIBLE.includes(address.range())) return [];
  const bytes = address.toByteArray();
  const carriers = CARRIERS.filter(({ prefix, bits }) => address.match(prefix, bits));
  const offsets = isIsatap(address) ? [...carriers, { at: 12, isInverted: false }] : carriers;
  return offsets.map(({ at, isInverted }) => {
    const octets = bytes.slice(at, at + 4);
    return new ipaddr.IPv4(isInverted ? octets.map((octet) => octet ^ 0xff) : octets);
  });
}

/** `::` and `::1` look IPv4-compatible and are not. */
const NOT_COMPATIBLE: readonly string[] = ['unspecified', 'loopback'];

/** In any prefix, by the interface's id: RFC 5214. */
function isIsatap({ parts }: ipaddr.IPv6): boolean {
  return ((parts[4] as number) & ~0x0200) === 0 && parts[5] === 0x5efe;
}
