import { accessSync, constants } from 'node:fs';
import { durationOf } from './duration.ts';

/** What reads the text of a setting: each returns the value, or throws an Error whose message says what is accepted. */

/** A duration in milliseconds. */
export type Ms = number;

/** So many in a time, in whole s. */
export interface RateLimit {
  readonly quota: number;
  readonly windowS: number;
}

export function text(value: string): string {
  return value;
}

export function boolean(value: string): boolean {
  if (value === 'true' || value === '1') return true;
  if (value === 'false' || value === '0') return false;
  throw new Error(`must be true or false, not "${value}"`);
}

export function wholeNumber(min: number, max: number) {
  return (value: string): number => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max))
      throw new Error(`must be a whole number from ${min} to ${max}, not "${value}"`);
    return number;
  };
}

/** @returns a number from 0 to 1 */
export function part(value: string): number {
  const number = /^(?:0|1|0?\.\d{1,12}|1\.0+)$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= 0 && number <= 1)) throw new Error(`must be a number from 0 to 1, not "${value}"`);
  return number;
}

export function oneOf<const T extends readonly string[]>(choices: T) {
  return (value: string): T[number] => {
    if (!choices.includes(value)) throw new Error(`must be one of ${choices.join(', ')}, not "${value}"`);
    return value;
  };
}

export function list(item: RegExp, what: string) {
  return (value: string): readonly string[] => {
    const items = value.split(',').map((text) => text.trim().toLowerCase());
    if (!items.every((text) => item.test(text))) throw new Error(`must be ${what}, separated by commas`);
    return items;
  };
}

export function url(scheme: RegExp, what: string) {
  return (value: string): string => {
    if (!scheme.test(value)) throw new Error(`must be ${what}`);
    return value;
  };
}

/** A list that may be empty. */
export function noneOr<T>(parse: (text: string) => readonly T[]) {
  return (value: string): readonly T[] => (value === 'none' ? [] : parse(value));
}

export function proxyUrl(value: string): string {
  const parsed = URL.parse(value);
  const isPlace = parsed && ['http:', 'https:'].includes(parsed.protocol) && parsed.pathname === '/';
  if (!isPlace || parsed.search || parsed.hash) throw new Error('must be an http:// or https:// URL without a path');
  return value;
}

/** @returns the path */
export function readableFile(path: string): string {
  try {
    accessSync(path, constants.R_OK);
    return path;
  } catch (error) {
    throw new Error(`must name a file that can be read (${(error as Error).message})`);
  }
}

export function atLeast(length: number) {
  return (value: string): string => {
    if (value.length < length) throw new Error(`must have ${length} characters or more`);
    return value;
  };
}

/** @returns the parts of a list, each as `parse` returns it; empty ones are passed over */
export function listOf<T>(parse: (text: string) => T, separator: string | RegExp) {
  return (value: string): readonly T[] => {
    const parts = value.split(separator).map((part) => part.trim());
    const given = parts.filter((part) => part !== '');
    if (given.length === 0) throw new Error('must not be empty');
    return given.map(parse);
  };
}

const UNIT_S = { s: 1, m: 60, h: 3_600 } as const;

export function rateLimit(value: string): RateLimit {
  const [, quota, count, unit] = /^([1-9]\d{0,8})\/([1-9]\d{0,3})?([smh])$/.exec(value) ?? [];
  if (unit === undefined)
    throw new Error(`must be a number and a time such as 100/s, 5000/10m or 100000/h, not "${value}"`);
  return { quota: Number(quota), windowS: Number(count ?? 1) * UNIT_S[unit as keyof typeof UNIT_S] };
}

/** The longest duration a setting takes: setTimeout and JetStream delays both hold it. */
const MAX_DURATION_MS = 20 * 24 * 3_600_000;

export function durationMs(min: Ms) {
  return (value: string): Ms => {
    const ms = durationOf(value) ?? Number.NaN;
    if (!(ms >= min && ms <= MAX_DURATION_MS)) {
      throw new Error(`must be a duration such as 500ms, 15s, 5m or 1h (${min} ms to 480 h), not "${value}"`);
    }
    return ms;
  };
}

/** Any span that a calendar has. */
const DAY_MS = 24 * 3_600_000;
const MAX_RETENTION_MS = 100 * 366 * DAY_MS;

export function retention(value: string): Ms {
  const [, days] = /^(\d{1,5})d$/.exec(value) ?? [];
  const ms = days === undefined ? (durationOf(value) ?? Number.NaN) : Number(days) * DAY_MS;
  if (ms >= 1_000 && ms <= MAX_RETENTION_MS) return ms;
  throw new Error(`must be a duration such as 90d or 36h (1 s to 100 years), not "${value}"`);
}

/** The most waits of a schedule. */
const MAX_WAITS = 1_000;

/** @returns each wait, in ms: `1h*3` is three of them */
export function schedule(value: string): readonly Ms[] {
  const waits = value.split(',').flatMap((part) => {
    const [, wait = '', count = '1'] = /^(\w+)(?:\*([1-9]\d{0,3}))?$/.exec(part.trim()) ?? [];
    if (wait === '') throw new Error(`must be waits separated by commas, such as 30s,5m,1h*23, not "${value}"`);
    return Array<Ms>(Number(count)).fill(durationMs(1)(wait));
  });
  if (waits.length > MAX_WAITS) throw new Error(`must have at most ${MAX_WAITS} waits, not ${waits.length}`);
  return waits;
}
