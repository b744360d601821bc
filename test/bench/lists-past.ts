import { type Fact, type RecordedFact, stream } from '../../domain/facts.ts';
import { firstIdAt } from '../../domain/ids.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_ID,
  channelCreated,
  DELIVERED,
  HOUR_MS,
  iso,
  metadata,
  published,
  WEBHOOK_ID,
  webhookCreated,
} from '../support/sample.ts';

/** Events of one batch of facts; half as many facts as the projector gets at most. */
const BATCH = 256;
/** The past is a week long, however many events it has. */
const WEEK_MS = 7 * 24 * HOUR_MS;
/** The newest events are still pending. */
const PENDING = 5_000;
const NAMES = 20;

/** What a list's filters can name: values that many events have, and values that one has. */
export const COMMON = { event_name: (n: number) => `order.n${n % NAMES}`, ext_ref_code: (n: number) => `ref-${n}` };
export const RARE = { event_name: 'order.rare', ext_ref_code: 'ref-0' };

/** When the past ends, in ms since the epoch. */
export const END_MS = AT_MS + WEEK_MS;

/** Id of the `n`th event of `count`. */
export function idOf(n: number, count: number): number {
  return firstIdAt(AT_MS + Math.floor((n / count) * WEEK_MS)) + (n % 4_096);
}

/**
 * The facts of a channel with one webhook, by batches, as the log would have them: the first event alone has a rare name and failed, each has a reference of its own, the newest
 * are pending.
 */
export function* pastOf(count: number): Generator<readonly RecordedFact[]> {
  const revisions = new Map<string, number>();
  let position = 0;
  function recorded(name: string, fact: Fact, atMs: number): RecordedFact {
    const revision = (revisions.get(name) ?? -1) + 1;
    revisions.set(name, revision);
    position += 10;
    const place = { stream: name, revision, position, recordedAtMs: atMs };
    return { ...fact, id: String(position), metadata: metadata(), ...place };
  }

  yield [
    recorded(stream.channel(CHANNEL_ID), channelCreated(), AT_MS),
    recorded(stream.webhook(WEBHOOK_ID), webhookCreated(), AT_MS),
  ];
  for (let from = 0; from < count; from += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => from + i);
    const atMs = (n: number) => AT_MS + (n / count) * WEEK_MS;
    yield [
      ...numbers.map((n) => recorded(stream.events(CHANNEL_ID), eventOf(n, count, atMs(n)), atMs(n))),
      ...numbers
        .filter((n) => n < count - PENDING)
        .map((n) => recorded(stream.deliveries(CHANNEL_ID), attemptOn(n, count, atMs(n)), Math.floor(atMs(n)))),
    ];
  }
}

function eventOf(n: number, count: number, atMs: number) {
  return published({
    ...{ id: idOf(n, count), event_name: n === 0 ? RARE.event_name : COMMON.event_name(n) },
    ...{ ext_ref_code: COMMON.ext_ref_code(n), published_at: iso(atMs), data: { text: 'x'.repeat(150) } },
  });
}

function attemptOn(n: number, count: number, atMs: number) {
  const part = { event_id: idOf(n, count), at: iso(atMs), duration_ms: 3 + ((n * 7_919) % 97) };
  return attempted({ ...part, ...DELIVERED, ...(n === 0 && { outcome: 'failed' }) });
}
