import { randomUUID } from 'node:crypto';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { Fact, NewFact, RecordedFact } from '../../domain/facts.ts';
import { openCalls, type ReadCall } from './calls.ts';
import { openClient } from './connection.ts';
import { inTime } from './errors.ts';
import { cancel, type FollowOptions, followLog, type ReadUpTo, readUpTo } from './follow.ts';
import { allFrom, lastOfAll, streamFrom, streamFromEnd } from './read-request.ts';
import { shareLog } from './shared-log.ts';
import type { Expected } from './wire/append-request.ts';
import type { Appended } from './wire/append-response.ts';
import { type ReadAnswer, readReadResponse, type StoredEvent, toFact } from './wire/read-response.ts';

export type { LogBatch } from './follow.ts';
export { type Expected, NO_STREAM_YET } from './wire/append-request.ts';
export type { Appended } from './wire/append-response.ts';
export { type StoredEvent, toFact } from './wire/read-response.ts';

/** How long an append or a read may take before it counts as failed, in ms: promises of the client itself can hang. */
const DEADLINE_MS = 5_000;

export type EventStore = ReturnType<typeof connectEventStore>;

/** @param url an `esdb://` or `esdb+discover://` connection string; with several hosts, or `discover`, the leader is found among them. @throws SettingError */
export function connectEventStore(url: string, deadlineMs = DEADLINE_MS) {
  const client = openClient(url);
  const calls = openCalls(client);
  const followStored = (options: FollowOptions) => followLog(calls, options);
  const shared = shareLog(followStored);

  async function drain(request: streams.ReadReq, take: (answer: ReadAnswer) => void) {
    let call: ReadCall | undefined;
    const drained = async () => {
      call = await calls.read(request);
      for await (const message of call) take(readReadResponse(message));
    };
    try {
      await inTime(drained(), deadlineMs);
    } catch (error) {
      // Else it stays open, and the client cannot close.
      if (call) cancel(call);
      throw error;
    }
  }
  async function setMetadata(stream: string, data: object) {
    const settings = { id: randomUUID(), type: '$metadata', data, metadata: {} };
    await inTime(calls.append(`$$${stream}`, [settings], 'any'), deadlineMs);
  }
  async function collect(request: streams.ReadReq): Promise<RecordedFact[]> {
    const facts: RecordedFact[] = [];
    await drain(request, (answer) => {
      if (answer.kind === 'event' && answer.event) facts.push(toFact(answer.event));
    });
    return facts;
  }

  return {
    /**
     * Appends facts as one write: all or none.
     * @throws WrongRevision, AppendRefused, StoreUnavailable
     */
    append: (stream: string, facts: readonly NewFact[], expected: Expected): Promise<Appended> =>
      inTime(calls.append(stream, facts, expected), deadlineMs),

    /**
     * Reads a stream from its beginning, or its last `last` facts; empty where there is no such stream.
     * @throws StoreUnavailable
     */
    read: async <F extends Fact>(stream: string, { last }: { last?: number } = {}): Promise<RecordedFact<F>[]> => {
      const facts = await collect(last ? streamFromEnd(stream, last) : streamFrom(stream, 0));
      return (last ? facts.reverse() : facts) as RecordedFact<F>[];
    },

    /** Reads one fact; undefined where it is not there. @throws StoreUnavailable */
    readOne: async (stream: string, revision: number): Promise<RecordedFact | undefined> =>
      (await collect(streamFrom(stream, revision, 1)))[0],

    /** Lets the store forget the facts of a stream once they are older than `maxAgeS` seconds. @throws StoreUnavailable */
    async setMaxAge(stream: string, maxAgeS: number): Promise<void> {
      await setMetadata(stream, { $maxAge: maxAgeS });
    },

    /** A stream's events from a revision on, `count` of them at most, as the store holds them; empty where there are none. @throws StoreUnavailable */
    storedIn: async (stream: string, from: number, count: number): Promise<StoredEvent[]> => {
      const events: StoredEvent[] = [];
      await drain(streamFrom(stream, from, count), (answer) => {
        if (answer.kind === 'event' && answer.event) events.push(answer.event);
      });
      return events;
    },

    /** Lets the store forget the facts of a stream before a revision: nobody reads them from then on. @throws StoreUnavailable */
    async truncate(stream: string, before: number): Promise<void> {
      await setMetadata(stream, { $tb: before });
    },

    /** Position of the last event in the log; -1 where there is none. @throws StoreUnavailable */
    lastPosition: async (): Promise<number> => {
      let position = -1;
      await drain(lastOfAll(), (answer) => {
        if (answer.kind === 'event') position = answer.position;
      });
      return position;
    },

    /**
     * Follows the log for ever, in order, from behind `after` (-1: from its beginning): facts, as many at a time as are there, and
     * how far the log has been read. Where the connection breaks it throws: the caller goes on from its checkpoint.
     * Without prefixes: all streams that are ours, and a position that is exact to the last event of the log.
     * All who follow it in one process share what is read for them: see `shareLog`.
     * @throws StoreUnavailable
     */
    follow: shared.follow,

    /** What the log holds behind a position, as those who follow it here have just read it; undefined where that is not kept here: it is to be read then. */
    recentStored: shared.recent,

    /** Follows the log as `follow` does, but hands over every event as the store holds it, also of streams that are not ours. @throws StoreUnavailable */
    followStored,

    /** Every event from behind `after` up to and including position `to`, as the store holds it, many at a time. @throws StoreUnavailable */
    storedUpTo: (options: ReadUpTo) => readUpTo(calls, options),

    /**
     * The first event behind a position, as the store holds it; undefined where there is none.
     * @param prefixes of the streams wanted; absent: all
     * @throws StoreUnavailable
     */
    firstBehind: async (position: number, prefixes?: readonly string[]): Promise<StoredEvent | undefined> => {
      let found: StoredEvent | undefined;
      // The one at the position itself may come first.
      await drain(allFrom(Math.max(0, position), 2, prefixes), (answer) => {
        if (answer.kind === 'event' && answer.event && answer.position > position) found ??= answer.event;
      });
      return found;
    },

    /** The event at a position, as the store holds it; undefined where none begins there. @throws StoreUnavailable */
    storedAt: async (position: number): Promise<StoredEvent | undefined> => {
      let found: StoredEvent | undefined;
      await drain(allFrom(position, 1), (answer) => {
        if (answer.kind === 'event' && answer.event?.position === position) found = answer.event;
      });
      return found;
    },

    close: (): Promise<void> => client.dispose(),
  };
}
