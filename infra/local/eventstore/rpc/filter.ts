import { status } from '@grpc/grpc-js';
import { RE2JS } from 're2js';
import { BoundedCache } from '../store/bounded-cache.ts';
import type { RecordedEvent } from '../store/event.ts';
import type { FilterMessage } from '../wire/read-request.ts';
import { RpcError } from './errors.ts';

export interface Filter {
  matches(event: RecordedEvent): boolean;
  /** A subscription is told how far it is each time so many events were looked at, matching or not. */
  readonly checkpointInterval: number;
}

const DEFAULT_WINDOW = 32;

/** @throws RpcError for a regular expression that is none. */
export function createFilter({ on, regex, prefixes, window = DEFAULT_WINDOW, interval }: FilterMessage): Filter {
  const matchesText = textMatcher(regex, prefixes);
  return {
    matches: on === 'stream' ? (event) => matchesText(event.stream.text) : (event) => matchesText(event.type),
    checkpointInterval: Math.max(1, window * interval),
  };
}

/** Every event is held against every one of them. */
const MAX_PREFIXES = 1_000;
const MAX_REGEX_LENGTH = 1_000;

function textMatcher(regex: string, prefixes: readonly string[]): (text: string) => boolean {
  if (prefixes.length > MAX_PREFIXES || regex.length > MAX_REGEX_LENGTH) {
    throw new RpcError(status.INVALID_ARGUMENT, `A filter may have ${MAX_PREFIXES} prefixes or characters.`);
  }
  if (regex === '') return (text) => prefixes.some((prefix) => text.startsWith(prefix));
  try {
    // Not JavaScript's own: those can take for ever over a few characters (https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS).
    const pattern = RE2JS.compile(regex);
    return remembered((text) => pattern.matcher(text).find());
  } catch (error) {
    throw new RpcError(status.INVALID_ARGUMENT, `The filter is no regular expression: ${(error as Error).message}`);
  }
}

const REMEMBERED_TEXTS = 1_000;

/** Most events are of a stream or a type that was looked at before. */
function remembered(matches: (text: string) => boolean): (text: string) => boolean {
  const known = new BoundedCache<string, boolean>(REMEMBERED_TEXTS);
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const is = matches(text);
    known.set(text, is);
    return is;
  };
}
