/** Where the attempts of a delivery stand on its axis of time. Nothing here knows of the page. */

/** A place on the axis: 0 at its beginning, 1 at its end. */
type Share = number;

export interface Tick {
  readonly at: Share;
  readonly atMs: number;
}

export interface Scale {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly ticks: readonly Tick[];
  readonly place: (atMs: number) => Share;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const STEPS_MS = [
  ...[1, 2, 5, 10, 30].map((s) => s * SECOND_MS),
  ...[1, 2, 5, 10, 30].map((min) => min * MINUTE_MS),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((h) => h * HOUR_MS),
];
const MOST_TICKS = 5;

/** An axis that holds all of these times, in ms since the epoch, a second long at least. */
export function scaleOver(timesMs: readonly number[]): Scale {
  const fromMs = Math.min(...timesMs);
  const untilMs = Math.max(fromMs + SECOND_MS, ...timesMs);
  const place = (atMs: number) => (atMs - fromMs) / (untilMs - fromMs);
  const lengthMs = untilMs - fromMs;
  const stepMs = STEPS_MS.find((ms) => lengthMs / ms <= MOST_TICKS) ?? lengthMs;
  const count = Math.floor(lengthMs / stepMs) + 1;
  const ticks = Array.from({ length: count }, (_, n) => fromMs + n * stepMs).map((atMs) => ({ atMs, at: place(atMs) }));
  return { fromMs, untilMs, ticks, place };
}

/** The same places, in order, moved apart where two would cover each other; the last stays on the axis. */
export function apart(places: readonly Share[], gap: Share): Share[] {
  const moved: Share[] = [];
  for (const place of places) moved.push(Math.max(place, (moved.at(-1) ?? Number.NEGATIVE_INFINITY) + gap));
  let limit = 1;
  for (let n = moved.length - 1; n >= 0; n--) {
    moved[n] = Math.min(moved[n] as Share, limit);
    limit = (moved[n] as Share) - gap;
  }
  return moved.map((place) => Math.max(0, place));
}
