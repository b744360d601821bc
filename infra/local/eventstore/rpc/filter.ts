import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { status } from '@grpc/grpc-js';
import type { RecordedEvent } from '../store/event.ts';
import { RpcError } from './errors.ts';

export interface Filter {
  matches(event: RecordedEvent): boolean;
  /** A subscription is told how far it is each time so many events were looked at, matching or not. */
  readonly checkpointInterval: number;
}

type FilterOptions = streams.ReadReq.Options.FilterOptions;

const DEFAULT_WINDOW = 32;

/** @throws RpcError for a regular expression that is none. */
export function readFilter(options: FilterOptions): Filter {
  const onStream = options.getStreamIdentifier();
  const expression = onStream ?? options.getEventType();
  const matchesText = textMatcher(expression?.getRegex() ?? '', expression?.getPrefixList() ?? []);
  const window = options.hasMax() ? options.getMax() : DEFAULT_WINDOW;
  return {
    matches: onStream ? (event) => matchesText(event.stream.text) : (event) => matchesText(event.type),
    checkpointInterval: Math.max(1, window * options.getCheckpointintervalmultiplier()),
  };
}

function textMatcher(regex: string, prefixes: readonly string[]): (text: string) => boolean {
  if (regex === '') return (text) => prefixes.some((prefix) => text.startsWith(prefix));
  try {
    const pattern = new RegExp(regex);
    return (text) => pattern.test(text);
  } catch (error) {
    throw new RpcError(status.INVALID_ARGUMENT, `The filter is no regular expression: ${(error as Error).message}`);
  }
}
