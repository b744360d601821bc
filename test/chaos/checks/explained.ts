import type { History, Part } from '../history.ts';

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
  const deaths = of('delivery').filter(({ isDeath }) => isDeath);
  const gathering = of('eventstore', 'nats-server', 'projector+relay');
  const storeTroubles = of('eventstore', 'delivery');
  const lagging = of('projector+relay', 'eventstore', 'delivery', 'supervisor');

  /** In ms, of the time from `fromMs` to `toMs`. */
  function troubledMs(fromMs: number, toMs: number): number {
    return storeTroubles.reduce(
      (sum, { fromMs: a, toMs: b }) => sum + Math.max(0, Math.min(b, toMs) - Math.max(a, fromMs)),
      0,
    );
  }

  return {
    /** Delivery died after a POST at `atMs` and before it can be certain that its outcome was in the log. */
    isUnrecorded: (atMs: number): boolean =>
      deaths.some(({ fromMs, toMs }) => toMs >= atMs && fromMs - atMs <= REACH_MS + troubledMs(atMs, fromMs)),
    /** Delivery died between two POSTs: the second did not know of the first. */
    isRepeated: (firstMs: number, secondMs: number): boolean =>
      deaths.some(({ fromMs, toMs }) => toMs >= firstMs && fromMs <= secondMs),
    /**
     * Something was away at `atMs`, or had been shortly before: outcomes then wait to be recorded, and what has gathered is worked off with as many POSTs at a time as
     * there can be, so that a crash of delivery repeats many of them.
     */
    isBacklogged: (atMs: number): boolean =>
      gathering.some(({ fromMs, toMs }) => fromMs - SOON_MS <= atMs && toMs + CATCH_UP_MS >= atMs),
    /** What was over at `endedMs` may not have been known at `atMs`: the read models lagged. */
    isLate: (endedMs: number, atMs: number): boolean =>
      atMs - endedMs <= LAG_MS || lagging.some(({ fromMs, toMs }) => toMs + LAG_MS >= endedMs && fromMs <= atMs),
  };
}
