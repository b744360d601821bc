import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BoundedCache } from './bounded-cache.ts';
import { TOMBSTONE_REVISION } from './event.ts';
import type { StreamName, StreamNames } from './names.ts';
import { KEEP_ALL, KEEP_LAST, parseRetention, type Retention } from './retention.ts';

/** What appends and reads need to know of a stream. Look it up again for every use: an old one may be out of date. */
export interface Head {
  readonly text: string;
  /** Undefined before the first event. */
  name: StreamName | undefined;
  /** Revision of the last event, -1 when there is none. */
  last: number;
  tombstoned: boolean;
  retention: Retention;
}

const CACHED_HEADS = 10_000;
const METASTREAM_PREFIX = '$$';

export const metastreamOf = (stream: string): string => METASTREAM_PREFIX + stream;
export const isMetastream = (stream: string): boolean => stream.startsWith(METASTREAM_PREFIX);
export const originalOf = (metastream: string): string => metastream.slice(METASTREAM_PREFIX.length);

/** All of it is derived from the events; only a bounded part is kept. */
export class Heads {
  readonly #cache = new BoundedCache<string, Head>(CACHED_HEADS);
  /** What changed since the disk was flushed, as it was then. */
  readonly #before = new Map<string, Head>();
  readonly #names: StreamNames;
  readonly #findLast: StatementSync;
  readonly #findLastData: StatementSync;

  constructor(database: DatabaseSync, names: StreamNames) {
    this.#names = names;
    this.#findLast = database.prepare('SELECT max(revision) AS last FROM events WHERE stream = ?');
    this.#findLastData = database.prepare('SELECT data FROM events WHERE stream = ? ORDER BY revision DESC LIMIT 1');
  }

  of(stream: string): Head {
    const cached = this.#cache.get(stream);
    if (cached) return cached;
    const head = this.#load(stream);
    this.#cache.set(stream, head);
    return head;
  }

  /** The data of the last event of the metastream; undefined when the stream never had metadata. */
  metadataOf(stream: string): Uint8Array | undefined {
    const metastream = this.#names.find(metastreamOf(stream));
    return metastream && (this.#findLastData.get(metastream.id)?.data as Uint8Array | undefined);
  }

  /** As reads see it: nothing in it could still be lost. */
  durable(stream: string): Head {
    return this.#before.get(stream) ?? this.of(stream);
  }

  /** To be called before a stream is changed. */
  keep(stream: string): void {
    if (!this.#before.has(stream)) this.#before.set(stream, { ...this.of(stream) });
  }

  /** All changes are on disk. */
  release(): void {
    this.#before.clear();
  }

  forget(stream: string): void {
    this.#cache.delete(stream);
  }

  forgetAll(): void {
    this.#before.clear();
    this.#cache.clear();
  }

  #load(stream: string): Head {
    const name = this.#names.find(stream);
    const last = this.#lastOf(name);
    const tombstoned = last === TOMBSTONE_REVISION;
    if (isMetastream(stream)) {
      const originalLast = this.#lastOf(this.#names.find(originalOf(stream)));
      const gone = tombstoned || originalLast === TOMBSTONE_REVISION;
      return { text: stream, name, last, tombstoned: gone, retention: KEEP_LAST };
    }
    const metadata = this.metadataOf(stream);
    const retention = metadata === undefined ? KEEP_ALL : parseRetention(metadata);
    return { text: stream, name, last, tombstoned, retention };
  }

  #lastOf(name: StreamName | undefined): number {
    return name === undefined ? -1 : Number(this.#findLast.get(name.id)?.last ?? -1);
  }
}
