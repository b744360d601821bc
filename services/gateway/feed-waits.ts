import { Problem } from './problems.ts';

/** How often it is looked for new events while requests wait for them, in ms. */
const LOOK_MS = 50;
/** What is waited between two looks, in how long the last one took: where very many channels are waited for, looking takes no more than a twentieth of the time. */
const PAUSES = 20;
/** How many requests wait at a time, at this gateway and for one webhook or channel. */
const WAITING = 1_000;
const WAITING_OF_ONE = 10;

export interface FeedWaitsDeps {
  /** Where in the log the read models are. */
  readonly position: () => number;
  /** Where in the log the newest event of a channel was published. */
  readonly newestIn: (channelId: number) => number;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** What requests wait for the events of: a webhook, or a channel, which is its own. */
export interface Awaited {
  readonly id: number;
  readonly channel_id: number;
}

/** What a request waits for. */
export interface FeedWait {
  readonly of: Awaited;
  /** Place in the log that an event of the channel must lie behind. */
  readonly after: number;
  readonly untilMs: number;
}

interface Waiter extends FeedWait {
  readonly resolve: () => void;
}

export type FeedWaits = ReturnType<typeof createFeedWaits>;

/** Requests that wait for the next event: one timer for all of them, and one look at each of their channels where the read models have gone on. */
export function createFeedWaits({ position, newestIn, nowMs }: FeedWaitsDeps) {
  /** By request: what it has a place to wait for, by id. It keeps that until it leaves, also while it does not wait. */
  const places = new Map<object, number>();
  const countOf = new Map<number, number>();
  /** By request. */
  const waiters = new Map<object, Waiter>();
  let seen = -1;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  function enter(request: object, { id }: Awaited) {
    if (places.has(request)) return;
    const others = countOf.get(id) ?? 0;
    if (places.size >= WAITING || others >= WAITING_OF_ONE) throw tooManyWaiting();
    places.set(request, id);
    countOf.set(id, others + 1);
  }

  function leave(request: object) {
    wake(request);
    const id = places.get(request);
    if (id === undefined) return;
    places.delete(request);
    const others = (countOf.get(id) as number) - 1;
    if (others > 0) countOf.set(id, others);
    else countOf.delete(id);
  }

  function add(request: object, waiter: Waiter) {
    waiters.set(request, waiter);
    timer ??= setTimeout(look, LOOK_MS);
  }

  function wake(request: object) {
    const waiter = waiters.get(request);
    waiters.delete(request);
    waiter?.resolve();
  }

  function look() {
    timer = undefined;
    const beganMs = nowMs();
    const isNew = createNewsOf();
    for (const [request, waiter] of waiters) if (waiter.untilMs <= beganMs || isNew(waiter)) wake(request);
    if (waiters.size > 0) timer = setTimeout(look, Math.max(LOOK_MS, PAUSES * (nowMs() - beganMs)));
  }

  /** Where the rows cannot be read everybody is woken: who reads them again is told why. */
  function createNewsOf(): (waiter: Waiter) => boolean {
    try {
      const reached = position();
      if (reached === seen) return () => false;
      seen = reached;
      const channels = new Set([...waiters.values()].map(({ of }) => of.channel_id));
      const newest = new Map([...channels].map((id) => [id, newestIn(id)]));
      return ({ of, after }) => (newest.get(of.channel_id) ?? -1) > after;
    } catch {
      return () => true;
    }
  }

  return {
    /** Takes a place for a request that is to wait, now or later. @throws Problem too-many-waiting */
    enter,
    /** Wakes a request, and gives its place to others. */
    leave,
    /**
     * Resolves once there may be an event, the time is up, the request leaves, or this stops. To be called in the turn in which the feed was read.
     * @throws Problem too-many-waiting
     */
    whenNews(request: object, wait: FeedWait): Promise<void> {
      if (isStopped) return Promise.resolve();
      enter(request, wait.of);
      return new Promise((resolve) => add(request, { ...wait, resolve }));
    },
    isStopped: (): boolean => isStopped,
    /** Wakes everybody, and lets nobody wait any more. */
    stop(): void {
      isStopped = true;
      clearTimeout(timer);
      for (const request of waiters.keys()) wake(request);
    },
  };
}

function tooManyWaiting(): Problem {
  const detail = `${WAITING_OF_ONE} requests wait for this already, or ${WAITING} at this gateway.`;
  return new Problem('too-many-waiting', detail, { headers: { 'Retry-After': '1' } });
}
