import type { Logger } from '../../infra/log.ts';
import type { QueueWait } from '../../infra/queue/waits.ts';
import type { Progress } from '../../projections/progress.ts';
import { createExcuse, createReaderLag, type ReaderLag, STILL_MS } from './lag.ts';
import { Problem } from './problems.ts';

/** How long a publication waits for room, in ms, and how many wait at a time. */
const PATIENCE_MS = 2_000;
const WAITING = 256;
/** How often it is looked how far the readers are, and how often the queue is asked, while there are publications, in ms. */
const LOOK_MS = 50;
const ASK_MS = 500;
/** An answer of the queue that is older says nothing, in ms. */
const STALE_MS = 3_000;
/** How long the lag must be above the limit before that is an overload: one batch of a reader that is late is none, in ms. */
const SURE_MS = 300;
/** How long nothing must have had to wait before an overload is over, in ms. */
const QUIET_MS = 5_000;
/** The most that `Retry-After` says, in s. */
const LONGEST_S = 60;

export interface BackpressureDeps {
  /** How long a publication may have to wait for its delivery to begin, in ms; 0: as long as it takes. */
  readonly limitMs: number;
  readonly progress: Pick<Progress, 'reached'>;
  /** Where in the log the relay is; undefined where that is not known here. */
  readonly relayedTo: () => number | undefined;
  /** Rejects, or never settles, where no worker tells. */
  readonly queueWait: () => Promise<QueueWait>;
  /** A monotonic clock. */
  readonly nowMs: () => number;
  readonly log: Logger;
}

interface Waiter {
  readonly untilMs: number;
  readonly resolve: () => void;
  readonly reject: (problem: Problem) => void;
}

export type Backpressure = ReturnType<typeof createBackpressure>;

/**
 * Slows and then refuses publications while more of them are accepted than can be worked off: by the projector, or by the relay and after it the workers
 * that take from the queue. Only overload does: what does not move at all is away, and publications are kept for when it is back.
 */
export function createBackpressure({ limitMs, progress, relayedTo, queueWait, nowMs, log }: BackpressureDeps) {
  const projection = createReaderLag();
  const relay = createReaderLag();
  const queue = createQueueWait(queueWait, nowMs);
  const episode = createEpisode(log);
  const waiters: Waiter[] = [];
  let written = -1;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let waitMs = 0;
  let hasRoom = true;
  let timer: NodeJS.Timeout | undefined;

  function look(atMs: number) {
    lookedMs = atMs;
    const projected = lookAt(projection, atMs, progress.reached);
    const relayed = lookAt(relay, atMs, relayedTo);
    const [projection_ms, relay_ms] = [projected.waitMs, relayed.waitMs];
    // Without read models nothing is delivered, whoever takes messages; and what the relay catches up with is on the queue next.
    const queue_ms = queue.inExcess(atMs, !projected.isExcused && !relayed.isExcused);
    waitMs = Math.max(projection_ms, relay_ms + queue_ms);
    hasRoom = !episode.isShut(atMs, waitMs > limitMs, { projection_ms, relay_ms, queue_ms, limit_ms: limitMs });
    letThrough(atMs);
    if (waiters.length === 0 && !episode.isOn()) return;
    timer ??= setTimeout(lookAgain, LOOK_MS);
  }

  function lookAt(reader: ReaderLag, atMs: number, position: () => number | undefined) {
    const reached = positionOf(position);
    if (reached === undefined) return { waitMs: 0, isExcused: false };
    return { waitMs: reader.waitMs(atMs, written, reached) ?? 0, isExcused: reader.isExcused() };
  }

  function lookAgain() {
    timer = undefined;
    look(nowMs());
  }

  /** In the order in which they came: all once there is room, else those whose patience has ended. */
  function letThrough(atMs: number) {
    const count = hasRoom ? waiters.length : waiters.filter(({ untilMs }) => untilMs <= atMs).length;
    for (const { resolve, reject } of waiters.splice(0, count)) {
      if (hasRoom) resolve();
      else reject(refusal());
    }
  }

  function refusal(): Problem {
    episode.refused();
    const retryS = Math.min(LONGEST_S, Math.max(1, Math.ceil(waitMs / 1_000)));
    const headers = { 'Retry-After': `${retryS}` };
    return new Problem('overloaded', 'More is published than can be delivered. Nothing was accepted.', { headers });
  }

  return {
    /** Says that this gateway has appended a publication. */
    wrote(position: number): void {
      written = Math.max(written, position);
    },
    /**
     * Resolves once there is room for a publication; undefined where there is, which costs nothing.
     * @throws Problem overloaded
     */
    whenRoom(): Promise<void> | undefined {
      if (limitMs === 0) return undefined;
      const atMs = nowMs();
      if (atMs - lookedMs >= LOOK_MS) look(atMs);
      if (hasRoom && waiters.length === 0) return undefined;
      if (waiters.length >= WAITING) return Promise.reject(refusal());
      timer ??= setTimeout(lookAgain, LOOK_MS);
      return new Promise((resolve, reject) => waiters.push({ untilMs: atMs + PATIENCE_MS, resolve, reject }));
    },
    /** Lets everybody through and looks no more. */
    stop(): void {
      clearTimeout(timer);
      for (const { resolve } of waiters.splice(0)) resolve();
    },
  };
}

/** A position, where it can be read: what cannot says so where it matters. */
function positionOf(read: () => number | undefined): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** How long messages wait on the queue until a worker takes them. It is asked while this is, and nobody waits for the answer. */
function createQueueWait(ask: () => Promise<QueueWait>, nowMs: () => number) {
  const excuse = createExcuse();
  let askedMs = Number.NEGATIVE_INFINITY;
  let answeredMs = Number.NEGATIVE_INFINITY;
  let isAsking = false;
  let handedOut = Number.POSITIVE_INFINITY;
  let takenMs = Number.NEGATIVE_INFINITY;
  let lagMs = 0;

  async function update() {
    isAsking = true;
    try {
      const answer = await ask();
      answeredMs = nowMs();
      if (answer.handedOut > handedOut) takenMs = answeredMs;
      ({ lagMs, handedOut } = answer);
    } catch {
      // It is asked again, and that it is away is said by those who cannot do without it.
    } finally {
      isAsking = false;
    }
  }

  function waitMs(atMs: number): number | undefined {
    if (atMs - answeredMs > STALE_MS) return undefined;
    return lagMs > 0 && answeredMs - takenMs > STILL_MS ? undefined : lagMs;
  }

  return {
    inExcess(atMs: number, counts: boolean): number {
      if (!isAsking && atMs - askedMs >= ASK_MS) {
        askedMs = atMs;
        void update();
      }
      return excuse.inExcess(atMs, counts ? waitMs(atMs) : undefined, 1);
    },
  };
}

/** Tells whether it is an overload, and says once when one begins and once when it is over. */
function createEpisode(log: Logger) {
  let aboveSinceMs: number | undefined;
  let beganMs: number | undefined;
  let lastMs = 0;
  let refused = 0;

  function begin(atMs: number, waits: Record<string, number>) {
    beganMs = atMs;
    refused = 0;
    const rounded = Object.entries(waits).map(([name, ms]) => [name, Math.round(ms)]);
    log.warn(Object.fromEntries(rounded), 'overload: publications wait, and are refused where that takes too long');
  }

  function end(sinceMs: number) {
    log.info({ lasted_ms: Math.round(lastMs - sinceMs), refused }, 'the overload is over');
    beganMs = undefined;
  }

  return {
    isOn: (): boolean => beganMs !== undefined,
    refused(): void {
      refused += 1;
    },
    /** Whether there is no room now. */
    isShut(atMs: number, isAbove: boolean, waits: Record<string, number>): boolean {
      if (!isAbove) {
        aboveSinceMs = undefined;
        if (beganMs !== undefined && atMs - lastMs >= QUIET_MS) end(beganMs);
        return false;
      }
      lastMs = atMs;
      aboveSinceMs ??= atMs;
      if (beganMs === undefined && atMs - aboveSinceMs >= SURE_MS) begin(atMs, waits);
      return beganMs !== undefined;
    },
  };
}
