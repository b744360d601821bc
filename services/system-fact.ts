import { randomUUID } from 'node:crypto';
import { FACT_VERSION, type Fact, type NewFact } from '../domain/facts.ts';

/** A fact that no request asked for. */
export function systemFact<F extends Fact>(fact: F, about: string): NewFact<F> {
  const metadata = { $correlationId: about, $causationId: about, version: FACT_VERSION, by: 'system' } as const;
  return { ...fact, id: randomUUID(), metadata };
}
