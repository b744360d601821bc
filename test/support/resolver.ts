import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { Resolver } from '../../infra/outbound/resolver.ts';

/** A resolver that gives a name the addresses of its turn, the last ones from then on, and counts how often it was asked. */
export function resolverOf(names: Readonly<Record<string, readonly (readonly string[])[]>>) {
  let asked = 0;
  const turns = new Map<string, number>();
  const resolve: Resolver = (name, _, callback) => {
    asked += 1;
    const turn = turns.get(name) ?? 0;
    turns.set(name, turn + 1);
    const addresses = names[name]?.[turn] ?? names[name]?.at(-1) ?? [];
    const found = addresses.map((address): LookupAddress => ({ address, family: isIP(address) }));
    setImmediate(callback, null, found);
  };
  return { resolve, asked: () => asked };
}
