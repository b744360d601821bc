import { type LookupAddress, lookup } from 'node:dns';

/** Finds all addresses of a host name; Node's `dns.lookup` does, as the system is set up to: with its hosts file and search domains. */
export type Resolver = (
  name: string,
  options: { all: true },
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Asks once for all who want the same name at the same time: where a name's server hangs, that holds up one thread of the system's resolver
 * (`UV_THREADPOOL_SIZE`) and not one for each POST.
 */
export function createSharedResolver(resolve: Resolver = lookup): Resolver {
  const waiting = new Map<string, Parameters<Resolver>[2][]>();
  return (name, options, callback) => {
    const others = waiting.get(name);
    if (others) {
      others.push(callback);
      return;
    }
    const all = [callback];
    waiting.set(name, all);
    resolve(name, options, (error, addresses) => {
      waiting.delete(name);
      for (const each of all) each(error, addresses);
    });
  };
}
