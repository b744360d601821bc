import { randomUUID } from 'node:crypto';
import type { JsMsg, NatsConnection } from 'nats';
import { createBroadcast } from './broadcast.ts';
import { FORMER_SUBJECT } from './shards.ts';

/** Where workers tell how long messages wait. Nothing of it is kept. */
const SUBJECT = 'webhooks.waits';
/** How often a worker tells, and for how long its word counts, in ms. */
const TELL_MS = 500;
const STALE_MS = 3_000;

/** What workers tell together. */
export interface QueueWait {
  /** How long live messages wait until a worker takes them, in ms. */
  readonly lagMs: number;
  /** How many messages were handed out so far, since it is counted. */
  readonly handedOut: number;
}

/** What one worker tells. */
interface Word extends QueueWait {
  readonly worker: string;
}

type Handed = Pick<JsMsg, 'subject' | 'redelivered'> & { readonly info: Pick<JsMsg['info'], 'timestampNanos'> };

/**
 * How long the live messages that a worker is handed for the first time have waited. Asked, the broker would tell the same, but nats-server 2.9.10 (mended in 2.9.15) then
 * counts all that is pending of a consumer anew for each message that it hands out until about half of the messages there are handed out, and takes no others
 * while it counts: under load publications waited for seconds.
 * @param nowMs in ms since the epoch: it is held against the broker's clock
 */
export function createWaitMeter(nowMs: () => number) {
  let handedOut = 0;
  /** Since when the message has been waiting that was handed out and is not taken yet. */
  let inHandMs: number | undefined;
  let longestMs = 0;
  let longestBeforeMs = 0;

  const noteInHand = () => {
    if (inHandMs !== undefined) longestMs = Math.max(longestMs, nowMs() - inHandMs);
  };

  return {
    handed(message: Handed): void {
      handedOut += 1;
      if (message.redelivered || !message.subject.startsWith(FORMER_SUBJECT)) return;
      inHandMs = message.info.timestampNanos / 1e6;
      noteInHand();
    },
    /** Says that the worker has room for another. */
    taken(): void {
      noteInHand();
      inHandMs = undefined;
    },
    /** The longest wait since this was asked the last time but one, so that a breath that the broker takes does not look like an end. */
    told(): QueueWait {
      noteInHand();
      const lagMs = Math.max(longestMs, longestBeforeMs);
      longestBeforeMs = longestMs;
      longestMs = 0;
      return { lagMs, handedOut };
    },
  };
}

/** The same messages; meanwhile all are told how long they have waited until the reader has room for another. */
export async function* tellingWaits(nc: NatsConnection, messages: AsyncIterable<JsMsg>): AsyncGenerator<JsMsg> {
  const worker = randomUUID();
  const meter = createWaitMeter(Date.now);
  const { say } = createBroadcast<Word>(nc, SUBJECT);
  const telling = setInterval(() => say({ worker, ...meter.told() }), TELL_MS);
  telling.unref();
  try {
    for await (const message of messages) {
      meter.handed(message);
      yield message;
      meter.taken();
    }
  } finally {
    clearInterval(telling);
  }
}

/**
 * What workers tell, put together.
 * @param nowMs a monotonic clock
 */
export function createWaits(nowMs: () => number) {
  const words = new Map<string, Word & { readonly heardMs: number }>();
  let handedOut = 0;
  return {
    hear(word: Word): void {
      handedOut += Math.max(0, word.handedOut - (words.get(word.worker)?.handedOut ?? 0));
      words.set(word.worker, { ...word, heardMs: nowMs() });
    },
    /** The longest wait that any of them tells of; undefined where none has told lately. */
    now(): QueueWait | undefined {
      for (const { worker, heardMs } of [...words.values()]) if (nowMs() - heardMs > STALE_MS) words.delete(worker);
      if (words.size === 0) return undefined;
      return { lagMs: Math.max(...[...words.values()].map(({ lagMs }) => lagMs)), handedOut };
    },
  };
}

/**
 * What workers of all nodes tell: listened to from the first time that it is asked for, as long as the connection lasts; costs the broker nothing.
 * @returns what gives it, and throws an Error where none of them has told lately
 */
export function hearingWaits(nc: NatsConnection): () => QueueWait {
  let waits: ReturnType<typeof createWaits> | undefined;
  return () => {
    if (!waits) {
      waits = createWaits(() => performance.now());
      createBroadcast<Word>(nc, SUBJECT).hear(waits.hear);
    }
    const wait = waits.now();
    if (!wait) throw new Error('no worker has told how long messages wait');
    return wait;
  };
}
