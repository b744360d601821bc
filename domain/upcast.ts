import { FACT_VERSION } from './facts.ts';

/** Makes the data of a fact of one version into that of the next. */
export type Upcaster = (data: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** How old facts are read: by type, then by the version that a step leads away from. A type that a version left alone has no step. */
export interface Versions {
  readonly newest: number;
  readonly upcasters: Readonly<Record<string, Readonly<Record<number, Upcaster>>>>;
}

/** All there are. A fact that changes raises FACT_VERSION and gets a step here; what is in the log is never rewritten. */
export const VERSIONS: Versions = { newest: FACT_VERSION, upcasters: {} };

/** What stands in the log was written by newer code than this. */
export class NewerFact extends Error {
  override readonly name = 'NewerFact';
}

/**
 * The data of a fact as today's code would have written it.
 * @throws NewerFact where this code does not know its version
 */
export function upcast(
  type: string,
  version: unknown,
  data: Readonly<Record<string, unknown>>,
  { newest, upcasters }: Versions = VERSIONS,
): Readonly<Record<string, unknown>> {
  if (typeof version !== 'number' || !(version <= newest)) {
    throw new NewerFact(`a ${type} of version ${version}, newer than this code`);
  }
  let upcasted = data;
  for (let from = version; from < newest; from++) upcasted = upcasters[type]?.[from]?.(upcasted) ?? upcasted;
  return upcasted;
}
