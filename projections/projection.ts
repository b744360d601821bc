import type { DatabaseSync } from 'node:sqlite';
import type { Fact, RecordedFact } from '../domain/facts.ts';

/** A read model: its tables, and what each fact does to their rows. */
export interface Projection {
  readonly name: string;
  /** SQL that creates its tables where they do not exist. */
  readonly schema: string;
  /**
   * Prepares its statements; the function returned applies one fact inside the transaction of its batch, and is not called again where that is rolled back.
   * @param atEnd names what is to be written at the end of each batch, inside its transaction
   */
  readonly prepare: (db: DatabaseSync, atEnd: (write: () => void) => void) => (fact: RecordedFact) => void;
}

/** Narrows a fact by its type's name, keeping the place in the log. */
export type RecordedOf<T extends Fact['type']> = RecordedFact & Extract<Fact, { type: T }>;

/** The id in the name of a channel's or webhook's stream. */
export function idIn(stream: string): number {
  return Number(stream.slice(stream.indexOf('-') + 1));
}
