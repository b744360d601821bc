import { setTimeout as delay } from 'node:timers/promises';
import { type RecordedEvent, TOMBSTONE_REVISION } from './event.ts';
import type { FileHold } from './file-hold.ts';
import { type Head, type Heads, isMetastream, originalOf } from './heads.ts';
import { type Log, PAGE_EVENTS, type Place } from './log.ts';
import type { StreamName, StreamNames } from './names.ts';
import { parseRetention } from './retention.ts';
import { firstVisible } from './visibility.ts';

/** How long appends have for themselves between two pages, in ms. */
const REST_MS = 5;
/** How often all streams are looked at, in ms: for what has become too old, which no event tells. */
const SWEEP_MS = 3_600_000;
/** Streams that are looked at before appends have their turn. */
const STREAMS = 25;

export interface ScavengerDeps {
  readonly log: Log;
  readonly names: StreamNames;
  readonly heads: Heads;
  readonly fileHold: FileHold;
  /** Runs in a transaction; resolves once that has ended. */
  readonly write: <T>(run: () => T) => Promise<T>;
  /** Told of every error: what was not blanked is with the next sweep. */
  readonly failed: (error: unknown) => void;
}

/**
 * Blanks the events that their stream's metadata hide, a page at a time between the appends: at once those that a stream is truncated before, and in sweeps those that
 * have become too old or too many, were deleted, or that a stop has left. A stream is blanked from its beginning, so whether there is anything left to do is seen at its last hidden event.
 */
export class Scavenger {
  readonly #deps: ScavengerDeps;
  readonly #stopping = new AbortController();
  /** Names of streams whose metadata have changed. */
  readonly #changed = new Set<string>();
  /** By stream, up to which revision all is blank. */
  readonly #blankTo = new Map<string, number>();
  #sweeping: NodeJS.Timeout | undefined;
  #isSwept = true;
  #isAtWork = false;

  constructor(deps: ScavengerDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#sweeping = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeping.unref();
    this.#sweep();
  }

  stop(): void {
    clearInterval(this.#sweeping);
    this.#stopping.abort();
  }

  /** Tells of events that are on disk. */
  noticed(events: readonly RecordedEvent[]): void {
    for (const { stream, data } of events)
      if (isMetastream(stream.text) && parseRetention(data).truncateBefore > 0)
        this.#changed.add(originalOf(stream.text));
    if (this.#changed.size > 0) this.#work();
  }

  #sweep(): void {
    this.#isSwept = false;
    this.#work();
  }

  #work(): void {
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    this.#workOff()
      .catch((error) => {
        if (!this.#stopping.signal.aborted) this.#deps.failed(error);
      })
      .finally(() => {
        this.#isAtWork = false;
      });
  }

  async #workOff(): Promise<void> {
    let count = 0;
    while (this.#changed.size > 0 || !this.#isSwept) {
      for (const name of this.#changed) {
        this.#changed.delete(name);
        count += await this.#scavenge(name);
      }
      if (!this.#isSwept) count += await this.#sweepAll();
    }
    // What was blanked stands in the write-ahead log as it was until that is cleared.
    if (count > 0) this.#deps.fileHold.clearWal();
  }

  async #sweepAll(): Promise<number> {
    this.#isSwept = true;
    let count = 0;
    let page: string[] = [];
    do {
      page = this.#deps.names.metastreams(page.at(-1) ?? '', STREAMS);
      for (const name of page) count += await this.#scavenge(originalOf(name));
      await this.#rest();
    } while (page.length === STREAMS);
    return count;
  }

  /** @returns how many events were blanked */
  async #scavenge(name: string): Promise<number> {
    const { heads, write } = this.#deps;
    let count = 0;
    for (;;) {
      const head = heads.durable(name);
      const { name: stream } = head;
      if (stream === undefined) return count;
      const page = this.#nextHidden(head, stream);
      if (page.length === 0) return count;
      await write(() => this.#blankAll(stream, page));
      if (page.length === PAGE_EVENTS) this.#blankTo.set(name, page.at(-1)?.revision ?? -1);
      count += page.length;
      await this.#rest();
    }
  }

  #nextHidden(head: Head, stream: StreamName): Place[] {
    const { log } = this.#deps;
    const last = lastHidden(head);
    const [end] = head.retention.maxAgeMs === Infinity ? log.places(stream, last - 1, last) : [];
    if (end?.created_ms === 0) return [];
    const oldestMs = Date.now() - head.retention.maxAgeMs;
    for (let after = this.#blankTo.get(head.text) ?? -1; ; ) {
      const page = log.places(stream, after, head.tombstoned ? last : head.last);
      const hidden = page.filter(
        ({ revision, created_ms }) => created_ms > 0 && (revision <= last || created_ms < oldestMs),
      );
      const isBlank = page.length > 0 && page.every(({ created_ms }) => created_ms === 0);
      if (!isBlank) return hidden;
      after = page.at(-1)?.revision ?? after;
    }
  }

  #blankAll(stream: StreamName, page: readonly Place[]): void {
    for (const place of page) this.#deps.log.blank(stream, place);
  }

  async #rest(): Promise<void> {
    await delay(REST_MS, undefined, { signal: this.#stopping.signal, ref: false });
  }
}

/** The last revision that is hidden whatever its age; -1 where none is. */
function lastHidden(head: Head): number {
  if (head.tombstoned) return TOMBSTONE_REVISION - 1;
  return Math.min(firstVisible(head) - 1, head.last);
}
