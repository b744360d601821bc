import Type from 'typebox';
import { MUST } from './fields.ts';

/** The most patterns of a webhook: each is held against each event of its channel. */
const MAX_PATTERNS = 50;

const Pattern = Type.String({
  pattern: '^(?:[A-Za-z0-9._:-]{1,255}|[A-Za-z0-9._:-]{0,254}\\*)$',
  [MUST]: 'be the name of an event, or the beginning of names and a "*", 255 characters at most',
});

/** Which events a webhook asks for. */
export const EventNames = Type.Array(Pattern, {
  minItems: 1,
  maxItems: MAX_PATTERNS,
  description: `Names of the events that it is sent, up to ${MAX_PATTERNS}: \`order.created\`, \`order.*\`, \`*\`. Absent: all.`,
});

/** Whether a webhook with these patterns asks for events of this name: for all where it has none. A `*` stands for any end, none included. */
export function isAskedFor(patterns: readonly string[] | undefined, name: string): boolean {
  if (patterns === undefined) return true;
  return patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}
