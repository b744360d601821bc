import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';

const { ReadReq } = streams;
const { Options } = ReadReq;
const FORWARDS = 0;
const BACKWARDS = 1;
/** How many times the store's own window of events is passed over between two checkpoints: 32 events are one. */
const CHECKPOINT_INTERVAL = 32;

/** Reads a stream from a revision on, `count` facts of it at most; absent: all. */
export function streamFrom(stream: string, revision: number, count = Number.MAX_SAFE_INTEGER): streams.ReadReq {
  const place = streamOptions(stream).setRevision(String(revision));
  return request(options(FORWARDS).setStream(place).setCount(String(count)));
}

/** Reads the last `count` facts of a stream, newest first. */
export function streamFromEnd(stream: string, count: number): streams.ReadReq {
  const place = streamOptions(stream).setEnd(new shared.Empty());
  return request(options(BACKWARDS).setStream(place).setCount(String(count)));
}

/** Reads the last event of the log. */
export function lastOfAll(): streams.ReadReq {
  const place = new Options.AllOptions().setEnd(new shared.Empty());
  return request(options(BACKWARDS).setAll(place).setCount('1'));
}

/**
 * Reads `count` events of the log from a position on, that one included.
 * @param prefixes of the streams wanted; absent: all
 */
export function allFrom(position: number, count: number, prefixes?: readonly string[]): streams.ReadReq {
  const place = new Options.AllOptions().setPosition(positionAt(position));
  const wanted = options(FORWARDS).setAll(place).setCount(String(count));
  if (prefixes) wanted.setFilter(streamFilter(prefixes));
  return request(wanted);
}

/**
 * Reads the log from behind `after` (-1: from its beginning), and what comes, for ever.
 * @param prefixes of the streams wanted; absent: all
 */
export function allAfter(after: number, prefixes: readonly string[] | undefined): streams.ReadReq {
  const place = new Options.AllOptions();
  if (after < 0) place.setStart(new shared.Empty());
  else place.setPosition(positionAt(after));
  const wanted = options(FORWARDS).setAll(place).setSubscription(new Options.SubscriptionOptions());
  if (prefixes) wanted.setFilter(streamFilter(prefixes));
  return request(wanted);
}

function positionAt(position: number): streams.ReadReq.Options.Position {
  return new Options.Position().setCommitPosition(String(position)).setPreparePosition(String(position));
}

function request(options: streams.ReadReq.Options): streams.ReadReq {
  return new ReadReq().setOptions(options);
}

function options(direction: 0 | 1): streams.ReadReq.Options {
  return new Options()
    .setReadDirection(direction)
    .setUuidOption(new Options.UUIDOption().setString(new shared.Empty()))
    .setNoFilter(new shared.Empty());
}

function streamOptions(stream: string): streams.ReadReq.Options.StreamOptions {
  const identifier = new shared.StreamIdentifier().setStreamName(Buffer.from(stream));
  return new Options.StreamOptions().setStreamIdentifier(identifier);
}

function streamFilter(prefixes: readonly string[]): streams.ReadReq.Options.FilterOptions {
  const expression = new Options.FilterOptions.Expression().setPrefixList([...prefixes]);
  return new Options.FilterOptions()
    .setStreamIdentifier(expression)
    .setCount(new shared.Empty())
    .setCheckpointintervalmultiplier(CHECKPOINT_INTERVAL);
}
