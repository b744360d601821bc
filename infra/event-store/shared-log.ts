import { isFactStream } from '../../domain/facts.ts';
import type { FollowOptions, LogBatch } from './follow.ts';
import { type StoredEvent, toFact } from './wire/read-response.ts';

/** The most events that are kept of what was read last, and the most bytes of them; the newest batch is kept whole. */
const KEPT_EVENTS = 4_096;
const KEPT_BYTES = 8 * 1_024 * 1_024;
/** How many events more there may be until some are dropped: it is done for many at a time. */
const SLACK_EVENTS = 1_024;
/** A batch of so many events is of a reader far behind: then nothing is kept that all who follow have had, since nobody else is near. */
const FAR_BEHIND = 2_048;
/** Events of no stream that is wanted, after which the place behind them is handed over all the same. */
const PASSED_OVER = 1_024;

/** Follows the log over a subscription of its own. */
export type Subscribe = (options: FollowOptions) => AsyncGenerator<LogBatch<StoredEvent>>;

/**
 * One subscription for all who follow the log in this process, as long as they are near each other. The first opens it where it is; what it brings is kept for a while, each takes what
 * it has not had yet, and who has had everything lets more be read: nobody waits for another. Who is elsewhere in the log, or too slow, reads by itself until it is near the others.
 */
export function shareLog(subscribe: Subscribe) {
  let shared: Window | undefined;

  function windowAt(position: number): Window | undefined {
    shared ??= openWindow(subscribe, position, (closed) => {
      if (shared === closed) shared = undefined;
    });
    return shared.covers(position) ? shared : undefined;
  }

  async function* alone(options: FollowOptions): AsyncGenerator<LogBatch<StoredEvent>> {
    for await (const batch of subscribe(options)) {
      yield batch;
      if (shared === undefined || shared.covers(batch.position)) return;
    }
  }

  return {
    /** As `EventStore.follow` says. @throws StoreUnavailable */
    async *follow({ after, prefixes, signal }: Omit<FollowOptions, 'most'>): AsyncGenerator<LogBatch> {
      const isWanted = prefixes ? startsWithOneOf(prefixes) : isFactStream;
      let position = after;
      let passedOver = 0;
      while (!signal.aborted) {
        const window = windowAt(position);
        const batches = window ? window.follow(position, signal) : alone({ after: position, prefixes, signal });
        for await (const { facts: events, position: reached } of batches) {
          position = reached;
          const facts = events.filter(({ stream }) => isWanted(stream)).map((event) => toFact(event));
          passedOver = facts.length > 0 ? 0 : passedOver + events.length;
          if (prefixes && window && facts.length === 0 && passedOver < PASSED_OVER) continue;
          passedOver = 0;
          yield { facts, position };
        }
      }
    },

    /** What the log holds behind a position, as far as those who follow it here have read it; undefined where the part behind it is not kept. */
    recent: (position: number): LogBatch<StoredEvent> | undefined =>
      shared?.covers(position) ? shared.behind(position) : undefined,
  };
}

const startsWithOneOf = (prefixes: readonly string[]) => (stream: string) =>
  prefixes.some((prefix) => stream.startsWith(prefix));

type Window = ReturnType<typeof openWindow>;

/**
 * The part of the log that was read last, with no gap, and what follows.
 * @param onClosed is told once nobody follows any more, or the subscription has failed
 */
function openWindow(subscribe: Subscribe, after: number, onClosed: (closed: object) => void) {
  const abort = new AbortController();
  const source = subscribe({ after, signal: abort.signal });
  let events: StoredEvent[] = [];
  let bytes = 0;
  /** The place behind which everything is kept. */
  let from = after;
  let reached = after;
  /** Who follows, and up to where each has had everything. */
  const followers = new Set<{ position: number }>();
  const waiting: (() => void)[] = [];
  let isReading = false;
  let failure: unknown;

  const wakeAll = () => {
    for (const wake of waiting.splice(0)) wake();
  };

  async function readMore() {
    isReading = true;
    try {
      const { value: batch } = await source.next();
      if (batch) keep(batch);
    } catch (error) {
      failure = error;
      onClosed(window);
    }
    isReading = false;
    wakeAll();
  }

  function keep(batch: LogBatch<StoredEvent>) {
    for (const event of batch.facts) {
      events.push(event);
      bytes += bytesOf(event);
    }
    reached = batch.position;
    const older = events.length - batch.facts.length;
    const passed = batch.facts.length >= FAR_BEHIND ? Math.min(older, firstBehind(events, slowest())) : 0;
    if (passed > 0 || events.length > KEPT_EVENTS + SLACK_EVENTS || bytes > KEPT_BYTES) dropFrom(older, passed);
  }

  const slowest = () => Math.min(...[...followers].map(({ position }) => position));

  /**
   * @param older how many may be dropped
   * @param passed how many of these are, in any case
   */
  function dropFrom(older: number, passed: number) {
    let dropped = 0;
    while (dropped < older && (dropped < passed || events.length - dropped > KEPT_EVENTS || bytes > KEPT_BYTES)) {
      const event = events[dropped] as StoredEvent;
      bytes -= bytesOf(event);
      from = event.position;
      dropped += 1;
    }
    events = events.slice(dropped);
  }

  /** @throws StoreUnavailable where nothing more will come */
  async function whenMore(): Promise<void> {
    if (failure !== undefined) throw failure;
    const woken = new Promise<void>((resolve) => waiting.push(resolve));
    if (!isReading) void readMore();
    await woken;
  }

  function endUnlessFollowed() {
    if (followers.size > 0) return;
    onClosed(window);
    abort.abort();
    void source.return(undefined);
  }

  const window = {
    covers: (position: number): boolean => position >= from && position <= reached,

    behind(position: number): LogBatch<StoredEvent> {
      return { facts: events.slice(firstBehind(events, position)), position: reached };
    },

    /** What is behind a position, and what comes, as long as what comes next for the follower is kept. @throws StoreUnavailable */
    async *follow(after: number, signal: AbortSignal): AsyncGenerator<LogBatch<StoredEvent>> {
      const follower = { position: after };
      followers.add(follower);
      signal.addEventListener('abort', wakeAll);
      try {
        while (!signal.aborted && follower.position >= from) {
          if (follower.position === reached) {
            await whenMore();
            continue;
          }
          const batch = window.behind(follower.position);
          follower.position = batch.position;
          yield batch;
        }
      } finally {
        signal.removeEventListener('abort', wakeAll);
        followers.delete(follower);
        endUnlessFollowed();
      }
    },
  };
  return window;
}

const bytesOf = ({ data, metadata }: StoredEvent): number => data.length + metadata.length;

/** The index of the first event behind a position: they are in the order of the log. */
function firstBehind(events: readonly StoredEvent[], position: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle] as StoredEvent).position > position) high = middle;
    else low = middle + 1;
  }
  return low;
}
