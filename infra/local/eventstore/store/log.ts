import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { checksum } from './checksum.ts';
import { StoreDamaged } from './damage.ts';
import type { ProposedEvent, RecordedEvent } from './event.ts';
import type { StreamName, StreamNames } from './names.ts';
import { BLANK_TYPE } from './visibility.ts';

/** One page is read in one go: it bounds memory, and how long a read holds up the appends behind it. */
export const PAGE_EVENTS = 256;
const PAGE_BYTES = 512 * 1024;

const COLUMNS = 'position, stream, revision, id, type, json, created_ms, metadata, data, checksum';

interface Row {
  readonly position: number;
  readonly stream: number;
  readonly revision: number;
  readonly id: Uint8Array;
  readonly type: string;
  readonly json: number;
  readonly created_ms: number;
  readonly metadata: Uint8Array;
  readonly data: Uint8Array;
  /** Null in what was written before there were checksums. */
  readonly checksum: number | null;
}

/** Where an event stands, and when it was recorded. */
export interface Place {
  readonly position: number;
  readonly revision: number;
  readonly created_ms: number;
}

const NO_ID = new Uint8Array(16);
const NOTHING = new Uint8Array(0);

/** The events table: appended to at the end, read in pages. */
export class Log {
  /** Position of the last event written, by a running transaction too. */
  last: number;
  /** Position of the last event that is on disk: what comes after it is shown to nobody. */
  durable: number;
  /** Position of the last event that was blanked since the start: what is remembered of those up to it may be of before. */
  blankTo = 0;
  readonly #names: StreamNames;
  readonly #findLast: StatementSync;
  readonly #insert: StatementSync;
  readonly #blank: StatementSync;
  readonly #places: StatementSync;
  readonly #findById: StatementSync;
  readonly #allForward: StatementSync;
  readonly #allBackward: StatementSync;
  readonly #streamForward: StatementSync;
  readonly #streamBackward: StatementSync;

  constructor(database: DatabaseSync, names: StreamNames) {
    const select = (rest: string) => database.prepare(`SELECT ${COLUMNS} FROM events ${rest} LIMIT ${PAGE_EVENTS}`);
    this.#names = names;
    this.#findLast = database.prepare('SELECT max(position) AS last FROM events');
    this.#insert = database.prepare(`INSERT INTO events (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#blank = database.prepare(`
      UPDATE events SET id = ?, type = ?, json = 0, created_ms = 0, metadata = ?, data = ?, checksum = ? WHERE position = ?`);
    this.#places = database.prepare(`
      SELECT position, revision, created_ms FROM events
      WHERE stream = ? AND revision > ? AND revision <= ? ORDER BY revision LIMIT ${PAGE_EVENTS}`);
    this.#findById = database.prepare('SELECT position, revision FROM events WHERE stream = ? AND id = ?');
    this.#allForward = select('WHERE position > ? AND position <= ? ORDER BY position');
    this.#allBackward = select('WHERE position < ? ORDER BY position DESC');
    this.#streamForward = select('WHERE stream = ? AND revision >= ? AND revision <= ? ORDER BY revision');
    this.#streamBackward = select('WHERE stream = ? AND revision <= ? AND revision >= ? ORDER BY revision DESC');
    this.last = this.lastStored();
    this.durable = this.last;
  }

  /** What `last` is after a rollback. */
  lastStored(): number {
    return Number(this.#findLast.get()?.last ?? 0);
  }

  insert(stream: StreamName, revision: number, event: ProposedEvent, createdMs: number): RecordedEvent {
    const { id, type, json, data, metadata } = event;
    const position = this.last + 1;
    const recorded = { position, stream, revision, id, type, json, createdMs, metadata, data, message: undefined };
    const sum = checksum(recorded);
    this.#insert.run(position, stream.id, revision, id, type, json ? 1 : 0, createdMs, metadata, data, sum);
    this.last = position;
    return recorded;
  }

  /** Leaves nothing of an event but its place. */
  blank(stream: StreamName, { position, revision }: Place): void {
    const rest = { type: BLANK_TYPE, json: false, createdMs: 0, metadata: NOTHING, data: NOTHING };
    const sum = checksum({ position, stream, revision, id: NO_ID, ...rest });
    this.blankTo = Math.max(this.blankTo, position);
    this.#blank.run(NO_ID, BLANK_TYPE, NOTHING, NOTHING, sum, position);
  }

  /** Places of a stream's events behind a revision, a page at most, and when each was recorded: 0 where it is blank. */
  places(stream: StreamName, after: number, upTo: number): Place[] {
    return this.#places.all(stream.id, after, upTo) as unknown as Place[];
  }

  findById(stream: StreamName, id: Uint8Array): { position: number; revision: number } | undefined {
    return this.#findById.get(stream.id, id) as { position: number; revision: number } | undefined;
  }

  /** @throws StoreDamaged, as all that reads */
  allForward(after: number, upTo: number): RecordedEvent[] {
    return unbroken(this.#page(this.#allForward, after, upTo), 'position', Math.max(after, 0) + 1, 1);
  }

  allBackward(before: number): RecordedEvent[] {
    const page = this.#page(this.#allBackward, before);
    return before > 1 ? unbroken(page, 'position', Math.min(before - 1, this.last), -1) : page;
  }

  streamForward(stream: StreamName, from: number, upTo: number): RecordedEvent[] {
    return unbroken(this.#page(this.#streamForward, stream.id, from, upTo), 'revision', from, 1);
  }

  streamBackward(stream: StreamName, from: number, downTo: number): RecordedEvent[] {
    return unbroken(this.#page(this.#streamBackward, stream.id, from, downTo), 'revision', from, -1);
  }

  at(stream: StreamName, revision: number): RecordedEvent | undefined {
    return this.#page(this.#streamForward, stream.id, revision, revision)[0];
  }

  #page(statement: StatementSync, ...parameters: SQLInputValue[]): RecordedEvent[] {
    const events: RecordedEvent[] = [];
    let bytes = 0;
    for (const row of statement.iterate(...parameters) as Iterable<unknown> as Iterable<Row>) {
      events.push(this.#recorded(row));
      bytes += row.data.length + row.metadata.length;
      if (bytes >= PAGE_BYTES) break;
    }
    return events;
  }

  #recorded(row: Row): RecordedEvent {
    const event = {
      position: row.position,
      stream: this.#names.byId(row.stream),
      revision: row.revision,
      id: row.id,
      type: row.type,
      json: row.json === 1,
      createdMs: row.created_ms,
      metadata: row.metadata,
      data: row.data,
      message: undefined,
    };
    if (row.checksum !== null && row.checksum !== checksum(event)) {
      throw new StoreDamaged(`the event at position ${row.position} is not what was written`);
    }
    return event;
  }
}

/** Rows are blanked, never removed: where a page does not begin or go on as it must, events are missing. */
function unbroken(page: RecordedEvent[], place: 'position' | 'revision', first: number, step: 1 | -1) {
  let expected = first;
  for (const event of page) {
    if (event[place] !== expected) break;
    expected += step;
  }
  if (page.length > 0 && expected === first + step * page.length) return page;
  throw new StoreDamaged(`${place} ${expected} is missing`);
}
