import { randomBytes } from 'node:crypto';
import { type ProposedEvent, type RecordedEvent, TOMBSTONE_REVISION } from './event.ts';
import { checkAppend, checkDelete, type ExpectedRevision, type Refused, type Written } from './expected-revision.ts';
import { type Head, type Heads, isMetastream, metastreamOf, originalOf } from './heads.ts';
import type { Log } from './log.ts';
import type { StreamNames } from './names.ts';
import { DELETED_METADATA, parseRetention, withTruncateBefore } from './retention.ts';

const EMPTY = new Uint8Array(0);

/** The three ways to write, each to be called inside a transaction; `written` collects what it recorded. */
export class Writes {
  readonly #log: Log;
  readonly #names: StreamNames;
  readonly #heads: Heads;
  readonly written: RecordedEvent[] = [];

  constructor(log: Log, names: StreamNames, heads: Heads) {
    this.#log = log;
    this.#names = names;
    this.#heads = heads;
  }

  append(stream: string, expected: ExpectedRevision, events: readonly ProposedEvent[]): Written | Refused {
    const head = this.#heads.of(stream);
    const decided = checkAppend(this.#log, this.#heads, head, expected, events);
    if (decided) return decided;
    if (events.length === 0) return { kind: 'written', revision: head.last, position: 0 };
    if (head.retention.deleted) this.#undelete(head, this.#heads.metadataOf(stream) ?? EMPTY);
    if (isMetastream(stream)) return this.#appendMetadata(head, events);
    return this.#write(head, events);
  }

  softDelete(stream: string, expected: ExpectedRevision): Written | Refused {
    const head = this.#heads.of(stream);
    const refused = checkDelete(this.#heads, head, expected);
    return refused ?? this.#writeMetadata(head, DELETED_METADATA);
  }

  tombstone(stream: string, expected: ExpectedRevision): Written | Refused {
    const head = this.#heads.of(stream);
    const refused = checkDelete(this.#heads, head, expected);
    if (refused) return refused;
    this.#heads.keep(stream);
    this.#heads.keep(metastreamOf(stream));
    head.last = TOMBSTONE_REVISION - 1;
    const written = this.#write(head, [systemEvent('$streamDeleted', EMPTY)]);
    this.#heads.forget(stream);
    this.#heads.forget(metastreamOf(stream));
    return written;
  }

  #write(head: Head, events: readonly ProposedEvent[]): Written {
    this.#heads.keep(head.text);
    head.name ??= this.#names.create(head.text);
    const nowMs = Date.now();
    for (const event of events) {
      this.written.push(this.#log.insert(head.name, head.last + 1, event, nowMs));
      head.last += 1;
    }
    return { kind: 'written', revision: head.last, position: this.#log.last };
  }

  #writeMetadata(head: Head, metadata: Uint8Array): Written {
    this.#heads.keep(head.text);
    const written = this.#write(this.#heads.of(metastreamOf(head.text)), [systemEvent('$metadata', metadata)]);
    this.#heads.forget(head.text);
    return written;
  }

  /** What comes next is visible, what was there before the deletion stays hidden. */
  #undelete(head: Head, metadata: Uint8Array): void {
    this.#writeMetadata(head, withTruncateBefore(metadata, head.last + 1));
  }

  /** New metadata on a soft-deleted stream brings it back, without its old events. */
  #appendMetadata(head: Head, events: readonly ProposedEvent[]): Written {
    const original = this.#heads.of(originalOf(head.text));
    const wasDeleted = original.retention.deleted;
    this.#heads.keep(original.text);
    const written = this.#write(head, events);
    this.#heads.forget(original.text);
    const metadata = events.at(-1)?.data ?? EMPTY;
    if (wasDeleted && !parseRetention(metadata).deleted) this.#undelete(original, metadata);
    return written;
  }
}

function systemEvent(type: string, data: Uint8Array): ProposedEvent {
  return { id: randomBytes(16), type, json: data.length > 0, data, metadata: EMPTY };
}
