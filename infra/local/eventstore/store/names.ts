import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BoundedCache } from './bounded-cache.ts';
import { StoreDamaged } from './damage.ts';

export interface StreamName {
  readonly id: number;
  readonly text: string;
  /** The text as UTF-8: every event that is read carries it. */
  readonly bytes: Uint8Array;
}

const CACHED_NAMES = 10_000;

/** Stream names and the numbers that stand for them in the events table. */
export class StreamNames {
  readonly #byId = new BoundedCache<number, StreamName>(CACHED_NAMES);
  readonly #findId: StatementSync;
  readonly #findName: StatementSync;
  readonly #insert: StatementSync;
  readonly #metastreams: StatementSync;

  constructor(database: DatabaseSync) {
    this.#findId = database.prepare('SELECT id FROM streams WHERE name = ?');
    this.#findName = database.prepare('SELECT name FROM streams WHERE id = ?');
    this.#insert = database.prepare('INSERT INTO streams (name) VALUES (?)');
    this.#metastreams = database.prepare(
      `SELECT name FROM streams WHERE name > ? AND name >= '$$' AND name < '$%' ORDER BY name LIMIT ?`,
    );
  }

  /** Undefined when no event was ever written to the stream. */
  find(text: string): StreamName | undefined {
    const row = this.#findId.get(text);
    return row && this.#keep(Number(row.id), text);
  }

  byId(id: number): StreamName {
    return this.#byId.get(id) ?? this.#keep(id, this.#nameOf(id));
  }

  /** A page of the names of metastreams, from the first behind `after`. */
  metastreams(after: string, limit: number): string[] {
    return this.#metastreams.all(after, limit).map((row) => String(row.name));
  }

  create(text: string): StreamName {
    return this.#keep(Number(this.#insert.run(text).lastInsertRowid), text);
  }

  forgetAll(): void {
    this.#byId.clear();
  }

  #nameOf(id: number): string {
    const row = this.#findName.get(id);
    if (!row) throw new StoreDamaged(`the name of stream ${id} is missing`);
    return String(row.name);
  }

  #keep(id: number, text: string): StreamName {
    const name = { id, text, bytes: Buffer.from(text) };
    this.#byId.set(id, name);
    return name;
  }
}
