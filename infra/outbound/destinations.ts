import { networkInterfaces } from 'node:os';
import { createMatcher, type Network } from '../networks.ts';
import { type Address, carriedIPv4, isPublic, parseAddress } from './address.ts';
import type { PortRange } from './ports.ts';

export interface DestinationRules {
  readonly allowPrivateNetworks: boolean;
  readonly allowedNetworks: readonly Network[];
  readonly deniedNetworks: readonly Network[];
  readonly deniedPorts: readonly PortRange[];
}

export type Destinations = ReturnType<typeof createDestinations>;

/**
 * Where deliveries may go. A denied network is never reached; an allowed one always; any other address where it is of the public internet and
 * not of this machine, or where private networks are allowed. What carries an IPv4 address has to pass with that one too.
 * @param ownAddresses those of this machine: from here they are behind every firewall
 */
export function createDestinations(rules: DestinationRules, ownAddresses: () => readonly string[] = ofInterfaces) {
  const isAllowed = createMatcher(rules.allowedNetworks);
  const isDenied = createMatcher(rules.deniedNetworks);

  function passes(address: Address): boolean {
    return rules.allowPrivateNetworks || isAllowed(address) || (isPublic(address) && !isOwn(address));
  }

  function isOwn(address: Address): boolean {
    const text = address.toString();
    return ownAddresses().some((own) => parseAddress(own)?.toString() === text);
  }

  function allowsAddress(text: string): boolean {
    const address = parseAddress(text);
    if (!address) return false;
    const addresses = [address, ...carriedIPv4(address)];
    return !addresses.some(isDenied) && addresses.every(passes);
  }

  function allowsPort(port: number): boolean {
    return port >= 1 && port <= 65_535 && !rules.deniedPorts.some(([from, to]) => port >= from && port <= to);
  }

  return {
    /** Whether an address (in text, as the resolver gives it) may be dialled. */
    allowsAddress,
    allowsPort,
    /** What is wrong with a URL as it is written, in words that go on after its name; what a host name stands for only tells when it is dialled. */
    objection(url: string): string | undefined {
      const parsed = URL.parse(url);
      if (!parsed) return undefined;
      const port = portOf(parsed);
      if (!allowsPort(port)) return `must not have the port ${port}: deliveries do not go there`;
      const host = hostOf(parsed);
      const isName = parseAddress(host) === undefined;
      return isName || allowsAddress(host)
        ? undefined
        : `must not have the address ${host}: deliveries only go to public ones`;
    },
  };
}

/** The host of a URL; of an IPv6 address without its brackets. */
export function hostOf({ hostname }: { readonly hostname: string }): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** The port that a URL leads to, whether it says so or not. */
export function portOf({ protocol, port }: { readonly protocol: string; readonly port: string }): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function ofInterfaces(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
}
