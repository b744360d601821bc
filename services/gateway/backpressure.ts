import type { Logger } from '../../infra/log.ts';
import type { QueueState } from '../../infra/queue/client.ts';
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
/** How long nothing must have had to wait before an overload is over, in ms. */
const QUIET_MS = 5_000;
/** The most that `Retry-After` says, in s. */
const LONGEST_S = 60;

/** What the queue tells. */
export type QueueLag = Pick<QueueState, 'lagMs' | 'handedOut'>;

export interface BackpressureDeps {
  /** How long a publication may have to wait for its delivery to begin, in ms; 0: as long as it takes. */
  readonly limitMs: number;
  readonly progress: Pick<Progress, 'reached'>;
  /** Where in the log the relay is; undefined where that is not known here. */
  readonly relayedTo: () => number | undefined;
  /** Rejects, or never settles, where the broker is away. */
  readonly queueLag: () => Promise<QueueLag>;
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
export function createBackpressure({ limitMs, progress, relayedTo, queueLag, nowMs, log }: BackpressureDeps) {
  const projection = { lag: createReaderLag(), excuse: createExcuse() };
  const relay = { lag: createReaderLag(), excuse: createExcuse() };
  const queue = createQueueWait(queueLag, nowMs);
  const episode = createEpisode(log);
  const waiters: Waiter[] = [];
  let written = -1;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let waitMs = 0;
  let timer: NodeJS.Timeout | undefined;

  function look(atMs: number) {
    lookedMs = atMs;
    const projected = waitFor(projection.lag, atMs, progress.reached);
    const relayed = waitFor(relay.lag, atMs, relayedTo);
    const projection_ms = projection.excuse.inExcess(atMs, projected);
    const relay_ms = relay.excuse.inExcess(atMs, relayed);
    // Without read models nothing is delivered, whoever takes messages.
    const queue_ms = queue.inExcess(atMs, projected !== undefined);
    waitMs = Math.max(projection_ms, relay_ms + queue_ms);
    episode.note(atMs, waitMs > limitMs, { projection_ms, relay_ms, queue_ms, limit_ms: limitMs });
    letThrough(atMs);
    if (waiters.length === 0 && !episode.isOn()) return;
    timer ??= setTimeout(lookAgain, LOOK_MS);
  }

  function waitFor(reader: ReaderLag, atMs: number, position: () => number | undefined): number | undefined {
    const reached = positionOf(position);
    return reached === undefined ? undefined : reader.waitMs(atMs, written, reached);
  }

  function lookAgain() {
    timer = undefined;
    look(nowMs());
  }

  /** In the order in which they came: all once there is room, else those whose patience has ended. */
  function letThrough(atMs: number) {
    const hasRoom = waitMs <= limitMs;
    const count = hasRoom ? waiters.length : waiters.filter(({ untilMs }) => untilMs <= atMs).length;
    for (const { resolve, reject } of waiters.splice(0, count)) {
      if (hasRoom) resolve();
      else reject(refusal());
    }
  }

  function refusal(): Problem {
    episode.refused();
    const retryS = Math.min(LONGEST_S, Math.max(1, Math.ceil(waitMs / 1_000)));
    return new Problem(
      'overloaded',
      'More is published than can be delivered. Nothing was accepted: publish it again.',
      {
        headers: { 'Retry-After': `${retryS}` },
      },
    );
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
      if (waitMs <= limitMs && waiters.length === 0) return undefined;
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
function createQueueWait(ask: () => Promise<QueueLag>, nowMs: () => number) {
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
      return excuse.inExcess(atMs, counts ? waitMs(atMs) : undefined);
    },
  };
}

/** Says once when an overload begins, and once when it is over. */
function createEpisode(log: Logger) {
  let beganMs: number | undefined;
  let lastMs = 0;
  let refused = 0;
  return {
    isOn: (): boolean => beganMs !== undefined,
    refused(): void {
      refused += 1;
    },
    note(atMs: number, isOver: boolean, waits: Record<string, number>): void {
      if (isOver) {
        lastMs = atMs;
        if (beganMs !== undefined) return;
        beganMs = atMs;
        refused = 0;
        const rounded = Object.entries(waits).map(([name, ms]) => [name, Math.round(ms)]);
        log.warn(Object.fromEntries(rounded), 'overload: publications wait, and are refused where that takes too long');
      } else if (beganMs !== undefined && atMs - lastMs >= QUIET_MS) {
        log.info({ lasted_ms: Math.round(lastMs - beganMs), refused }, 'the overload is over');
        beganMs = undefined;
      }
    },
  };
}
