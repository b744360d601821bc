/** How things are said: times, durations, counts. Nothing here knows of the page. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const AGES = [
  { belowMs: MINUTE_MS, unitMs: SECOND_MS, unit: 's' },
  { belowMs: HOUR_MS, unitMs: MINUTE_MS, unit: 'min' },
  { belowMs: 2 * DAY_MS, unitMs: HOUR_MS, unit: 'h' },
  { belowMs: Number.POSITIVE_INFINITY, unitMs: DAY_MS, unit: 'd' },
] as const;

/** How long something is ago, or has been going on: `12 s`, `3 h`. */
export function age(ms: number): string {
  const { unitMs, unit } = AGES.find(({ belowMs }) => ms < belowMs) as (typeof AGES)[number];
  return `${Math.max(0, Math.floor(ms / unitMs))} ${unit}`;
}

export function ago(atMs: number, nowMs: number): string {
  return nowMs - atMs < 2 * SECOND_MS ? 'just now' : `${age(nowMs - atMs)} ago`;
}

/** What is left until something, to the second: `59:12`, `2:03:04`. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND_MS));
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** How long an attempt took: `12 ms`, `1.5 s`. */
export function took(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  return ms < MINUTE_MS ? `${(ms / SECOND_MS).toFixed(1)} s` : `${(ms / MINUTE_MS).toFixed(1)} min`;
}

/** A share of a whole, never 100 % where something is missing. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–';
  const hundredths = Math.floor((part / whole) * 10_000) / 100;
  return `${hundredths >= 99 || hundredths < 1 ? hundredths : Math.floor(hundredths)} %`;
}

export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** A URL without what everybody knows of it. */
export function shortUrl(url: string): string {
  return url.replace(/^https?:\/\//, '').replace(/\/$/, '');
}

const DATE: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'short', day: 'numeric' };
const TIME: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false };

/** In the time of whoever looks. */
export function clock(atMs: number): string {
  return new Intl.DateTimeFormat('en', TIME).format(atMs);
}

export function dateAndClock(atMs: number): string {
  return new Intl.DateTimeFormat('en', { ...DATE, ...TIME }).format(atMs);
}

/** What the API calls an attempt that got no answer, in a sentence. */
export const ERRORS: Readonly<Record<string, string>> = {
  timeout: 'It did not answer in time.',
  connection_refused: 'Nothing listens at that address.',
  connection_reset: 'The connection was closed before there was an answer.',
  dns: 'The name of the host could not be found.',
  tls: 'No secure connection could be made: look at the certificate.',
  protocol: 'The answer is not HTTP as it should be.',
  blocked_address: 'The address is one that deliveries may not reach.',
};
