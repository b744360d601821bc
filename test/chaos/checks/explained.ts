import type { History, Part, Trouble } from '../history.ts';

/** How long a POST and the append of its outcome may take while nothing is wrong with the store, in ms: 1 s, 1 s for the body, 5 s for the append, and as much again. */
const REACH_MS = 14_000;
/** How long an append takes at the most while nothing is wrong, in ms. */
const SOON_MS = 500;
/** How long a backlog may take to be worked off, in ms. */
const CATCH_UP_MS = 20_000;
/** How long the read models may lag on a busy machine without any fault, in ms. */
const LAG_MS = 2_000;

export type Explanations = ReturnType<typeof explanations>;

/** What the troubles of a round excuse. */
export function explanations({ troubles }: Pick<History, 'troubles'>) {
  const of = (...parts: Part[]) => troubles.filter(({ part }) => parts.includes(part));
  const gathering = of('eventstore', 'nats-server', 'projector+relay');
  const storeTroubles = of('eventstore', 'delivery');
  const lagging = of('projector+relay', 'eventstore', 'delivery', 'supervisor');
  const deaths = of('delivery').filter(isDeath);

  /** Told to stop, delivery records what it has POSTed before it ends, unless it cannot: then it gives up in the end. */
  function isDeath({ what, ended, fromMs, toMs }: Trouble): boolean {
    const isHindered = storeTroubles.some(
      (other) => other.what !== what && other.fromMs <= toMs && other.toMs >= fromMs,
    );
    return ended === 'killed' || (ended === 'told' && isHindered);
  }

  /** In ms, of the time from `fromMs` to `toMs`. */
  function troubledMs(fromMs: number, toMs: number): number {
    return storeTroubles.reduce(
      (sum, { fromMs: a, toMs: b }) => sum + Math.max(0, Math.min(b, toMs) - Math.max(a, fromMs)),
      0,
    );
  }

  return {
    /**
     * The death of delivery between a POST at `atMs` and the moment at which its outcome was in the log, `recordedMs`, or can be expected to be there where that is
     * unknown: what came after it did not know of that POST.
     */
    deathAfter: (atMs: number, recordedMs = Number.POSITIVE_INFINITY): Trouble | undefined =>
      deaths.find(
        ({ fromMs, toMs }) =>
          toMs >= atMs && fromMs <= recordedMs && fromMs - atMs <= REACH_MS + troubledMs(atMs, fromMs),
      ),
    /**
     * Something was away at `atMs`, had been shortly before, or died together with delivery: outcomes then wait to be recorded, and what has gathered is worked off
     * with as many POSTs at a time as there can be, so that a crash of delivery repeats many of them.
     */
    isBacklogged: (atMs: number): boolean =>
      gathering.some(({ fromMs, toMs }) => fromMs - SOON_MS <= atMs && toMs + CATCH_UP_MS >= atMs),
    /** What was over at `endedMs` may not have been known at `atMs`: the read models lagged. */
    isLate: (endedMs: number, atMs: number): boolean =>
      atMs - endedMs <= LAG_MS ||
      lagging.some(({ fromMs, toMs }) => toMs + LAG_MS >= endedMs && toMs + CATCH_UP_MS >= atMs && fromMs <= atMs),
  };
}
