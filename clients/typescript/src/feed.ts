import type { Event } from './api.ts';
import type { Call, CallOptions } from './http.ts';

export interface FollowOptions extends CallOptions {
  /** The `cursor` to go on from. `now`: only what comes from now on. Absent: all there was. */
  readonly after?: string | undefined;
  /** How long each request waits for something, in seconds: 30 unless said otherwise, 60 at most. */
  readonly waitSeconds?: number | undefined;
  /** The most events to read at a time. */
  readonly limit?: number | undefined;
}

/** An event of a feed, and where to go on from once it is dealt with: who keeps that and goes on from there misses nothing. */
export interface Followed {
  readonly event: Event;
  readonly cursor: string | undefined;
}

const WAIT_SECONDS = 30;
/** How much longer than it waits a request may take, in ms. */
const MARGIN_MS = 30_000;

/** Whose events: those of a channel, or of one of its webhooks. */
export type Source = readonly [name: 'readChannelFeed' | 'readFeed', ...ids: (number | string)[]];

/** The events of a feed in the order of their publication, without end: it ends when `signal` says so. */
export async function* follow(
  call: Call,
  [name, ...ids]: Source,
  { after, waitSeconds = WAIT_SECONDS, limit, timeoutMs, ...options }: FollowOptions = {},
): AsyncGenerator<Followed, void, undefined> {
  const patient = { ...options, timeoutMs: timeoutMs ?? waitSeconds * 1_000 + MARGIN_MS };
  let cursor = after;
  while (!options.signal?.aborted) {
    const query = { after: cursor, wait: `${waitSeconds}s`, limit };
    const part = await untilAborted(options.signal, call(name, { ids, query }, patient));
    if (!part) return;
    const { events, cursor: next } = part.value;
    for (const [index, event] of events.entries()) {
      // Amid a part there is no place to go on from but its beginning.
      yield { event, cursor: index === events.length - 1 ? next : cursor };
    }
    cursor = next;
  }
}

/** Undefined where it was ended by the signal. */
async function untilAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw error;
  }
}
