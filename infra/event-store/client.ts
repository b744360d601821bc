import {
  ANY,
  type AppendExpectedRevision,
  BACKWARDS,
  END,
  FORWARDS,
  NO_STREAM,
  type ResolvedEvent,
  START,
  type StreamingRead,
} from '@eventstore/db-client';
import type { Fact, NewFact, RecordedFact } from '../../domain/facts.ts';
import { toEvent, toFact } from './codec.ts';
import { openClient } from './connection.ts';
import { inTime, StreamMissing } from './errors.ts';
import { followLog } from './follow.ts';

export type { LogBatch } from './follow.ts';

/** How long an append or a read may take before it counts as failed, in ms: promises of the client itself can hang. */
const DEADLINE_MS = 5_000;

/**
 * What the store is told of it, in ms: it takes a point in time and holds it against its own clock, so one that is only seconds ahead of ours would refuse
 * everything as too late. Our own deadline is kept here.
 */
const STORE_DEADLINE_MS = 24 * 3_600_000;

/** What a stream must look like for an append: its last revision, no stream at all (-1), or anything. */
export type Expected = number | 'any';
export const NO_STREAM_YET = -1;

/** Where an append ended. */
export interface Appended {
  readonly revision: number;
  readonly position: number;
}

export type EventStore = ReturnType<typeof connectEventStore>;

/** @param url an `esdb://` or `esdb+discover://` connection string; with several hosts, or `discover`, the leader is found among them. @throws SettingError */
export function connectEventStore(url: string, deadlineMs = DEADLINE_MS) {
  const client = openClient(url);

  async function drain(events: StreamingRead<ResolvedEvent>, what: string, take: (event: ResolvedEvent) => void) {
    const drained = async () => {
      for await (const event of events) take(event);
    };
    try {
      await inTime(drained(), deadlineMs, what);
    } catch (error) {
      if (error instanceof StreamMissing) return;
      // Else the call stays open, and the client cannot close. Where there is no call to cancel, that is the error thrown here.
      events.cancel().catch(() => {});
      throw error;
    }
  }
  async function collect(events: StreamingRead<ResolvedEvent>, stream: string): Promise<RecordedFact[]> {
    const facts: RecordedFact[] = [];
    await drain(events, stream, ({ event }) => {
      if (event) facts.push(toFact(event));
    });
    return facts;
  }

  return {
    /**
     * Appends facts as one write: all or none.
     * @throws WrongRevision, StoreUnavailable
     */
    async append(stream: string, facts: readonly NewFact[], expected: Expected): Promise<Appended> {
      const append = client.appendToStream(stream, facts.map(toEvent), {
        expectedRevision: expectedRevision(expected),
        deadline: STORE_DEADLINE_MS,
      });
      const result = await inTime(append, deadlineMs, stream);
      return { revision: Number(result.nextExpectedRevision), position: Number(result.position?.commit ?? -1) };
    },

    /**
     * Reads a stream from its beginning, or its last `last` facts; empty where there is no such stream.
     * @throws StoreUnavailable
     */
    read: async <F extends Fact>(stream: string, { last }: { last?: number } = {}): Promise<RecordedFact<F>[]> => {
      const facts = last
        ? await collect(client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: last }), stream)
        : await collect(client.readStream(stream, { direction: FORWARDS, fromRevision: START }), stream);
      return (last ? facts.reverse() : facts) as RecordedFact<F>[];
    },

    /** Reads one fact; undefined where it is not there. @throws StoreUnavailable */
    readOne: async (stream: string, revision: number): Promise<RecordedFact | undefined> =>
      (await collect(client.readStream(stream, { fromRevision: BigInt(revision), maxCount: 1 }), stream))[0],

    /** Lets the store forget the facts of a stream once they are older than `maxAgeS` seconds. @throws StoreUnavailable */
    async setMaxAge(stream: string, maxAgeS: number): Promise<void> {
      const set = client.setStreamMetadata(
        stream,
        { maxAge: maxAgeS },
        { expectedRevision: ANY, deadline: STORE_DEADLINE_MS },
      );
      await inTime(set, deadlineMs, stream);
    },

    /** Position of the last event in the log; -1 where there is none. @throws StoreUnavailable */
    lastPosition: async (): Promise<number> => {
      let position = -1;
      const newest = client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
      await drain(newest, '$all', ({ event }) => {
        position = Number(event?.position?.commit ?? -1);
      });
      return position;
    },

    /**
     * Follows the log for ever, in order, from behind `after` (-1: from its beginning): facts, as many at a time as are there, and
     * how far the log has been read. Where the connection breaks it throws: the caller goes on from its checkpoint.
     * @param prefixes of the streams wanted; absent: all of ours, and a position that is exact to the last event of the log
     * @throws StoreUnavailable
     */
    follow: (options: { after: number; prefixes?: readonly string[]; signal: AbortSignal }) =>
      followLog(client, { prefixes: undefined, ...options }),

    close: (): Promise<void> => client.dispose(),
  };
}

function expectedRevision(expected: Expected): AppendExpectedRevision {
  if (expected === 'any') return ANY;
  return expected === NO_STREAM_YET ? NO_STREAM : BigInt(expected);
}
