import type { Headers } from '../../infra/sealed-headers.ts';

/** What is shorter is no secret, and would be found everywhere. */
const SHORTEST = 8;

/** What stands where a value was. */
const REDACTED = '[redacted]';

/**
 * An answer without the values of a webhook's own headers, which are secret and some receivers send back; also where it ends in the midst of one.
 * Only as they were sent: who encodes them differently is not seen through.
 */
export function withoutEchoes(text: string, headers: Headers): string {
  const secrets = Object.values(headers).filter(({ length }) => length >= SHORTEST);
  const longestFirst = secrets
    .flatMap((value) => [value, JSON.stringify(value).slice(1, -1)])
    .sort((a, b) => b.length - a.length);
  const clean = longestFirst.reduce((cleaned, value) => cleaned.replaceAll(value, REDACTED), text);
  const cut = Math.max(0, ...longestFirst.map((value) => overlap(clean, value)));
  return cut >= SHORTEST ? clean.slice(0, -cut) + REDACTED : clean;
}

/** How much of the beginning of `value` stands at the end of `text`. */
function overlap(text: string, value: string): number {
  for (let length = Math.min(text.length, value.length - 1); length > 0; length--) {
    if (text.endsWith(value.slice(0, length))) return length;
  }
  return 0;
}
