import { setTimeout as delay } from 'node:timers/promises';
import {
  ConsumerEvents,
  type ConsumerInfo,
  type ConsumerMessages,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
  NatsError,
} from 'nats';
import type { Logger } from '../log.ts';
import { FORMER_SUBJECT, subjectOfShard } from './shards.ts';
import { type Consumer, type Consumers, isGone, STREAM } from './stream.ts';
import { createTurns } from './turns.ts';
import type { Share } from './workers.ts';

/** More are asked for when so much of what is fetched ahead is left: each request costs as much as a message. */
const LEFT = 0.25;
/** How often a consumer of a cluster says that it is there, and how long a request for messages is good for, in ms. One whose server has died is asked anew after two. */
const HEARTBEAT_MS = { shard: 2_000, slot: 5_000 } as const;
const EXPIRES_MS = 30_000;
/** How long to wait before a consumer that nobody leads is asked again, in ms. */
const LEADERLESS_MS = 250;

export interface PullDeps {
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** Sends a request again where the connection was lost meanwhile. */
  readonly untilAnswered: <T>(send: () => Promise<T>) => Promise<T>;
  readonly isCluster: () => boolean;
  /** How long a consumer of a cluster may have no leader before it is taken away, in ms. */
  readonly leaderlessMs: number;
  readonly deleteConsumer: (consumer: Consumer) => Promise<void>;
  readonly log: Logger;
}

/** Asks consumers for messages. */
export function createPulls({ js, jsm, untilAnswered, isCluster, leaderlessMs, deleteConsumer, log }: PullDeps) {
  /**
   * What a consumer hands out, until `signal` aborts. In a cluster its server may die, and our requests with it: another one leads it after a while, and
   * knows nothing of them. Where none does for long, it is taken away.
   * @throws NatsError where it is gone
   */
  async function* messagesOf(consumer: Consumer, max_messages: number, signal: AbortSignal): AsyncGenerator<JsMsg> {
    const heartbeat = consumer.subject.startsWith(FORMER_SUBJECT) ? HEARTBEAT_MS.shard : HEARTBEAT_MS.slot;
    // All that asking for messages needs to know of it: what nobody leads tells no more of itself.
    const known = { stream_name: STREAM, name: consumer.name, config: {} } as ConsumerInfo;
    let silentSinceMs: number | undefined;
    const inCluster = { expires: EXPIRES_MS, idle_heartbeat: heartbeat, bind: true };
    while (!signal.aborted) {
      const often = { max_messages, threshold_messages: Math.ceil(max_messages * LEFT) };
      const options = { ...often, abort_on_missing_resource: true, ...(isCluster() && inCluster) };
      const askedMs = performance.now();
      const messages = await js.consumers.getPullConsumerFor(known).consume(options);
      void endIfGone(consumer, messages, heartbeat);
      const stop = () => messages.stop();
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      try {
        yield* messages;
      } catch (error) {
        if (!isLeaderless(error)) throw error;
        const wasLed = performance.now() - askedMs > heartbeat;
        if (wasLed || silentSinceMs === undefined) silentSinceMs = performance.now();
        await delay(LEADERLESS_MS);
        await examine(consumer, performance.now() - silentSinceMs);
      } finally {
        signal.removeEventListener('abort', stop);
        stop();
      }
    }
  }

  /**
   * Looks at a consumer that has been silent for so long. One that nobody has led for long in a cluster is taken away: the next, made in its place, hands out
   * again all that is kept.
   * @throws NatsError where it is gone
   */
  async function examine(consumer: Consumer, silentMs: number): Promise<void> {
    try {
      await untilAnswered(() => jsm.consumers.info(STREAM, consumer.name));
    } catch (error) {
      if (isGone(error)) throw error;
      if (isCluster() && silentMs >= leaderlessMs) await takeAway(consumer);
    }
  }

  /** @throws NatsError once it is gone */
  async function takeAway(consumer: Consumer): Promise<void> {
    const { subject } = consumer;
    log.warn({ subject }, 'nobody leads a consumer of the queue: it is made anew');
    try {
      await deleteConsumer(consumer);
    } catch (err) {
      log.warn({ err, subject }, 'it could not be taken away, trying again');
      return;
    }
    throw new NatsError('consumer deleted', '404');
  }

  /** A server of a cluster drops requests for messages of a consumer that it does not know, or that nobody leads. */
  async function endIfGone(consumer: Consumer, messages: ConsumerMessages, heartbeat: number): Promise<void> {
    let isLooking = false;
    for await (const { type, data } of await messages.status()) {
      if (type !== ConsumerEvents.HeartbeatsMissed || isLooking) continue;
      isLooking = true;
      void examine(consumer, Number(data) * heartbeat)
        .catch((gone) => messages.stop(gone))
        .finally(() => {
          isLooking = false;
        });
    }
  }

  /** What is live in the shards of a share, as that changes, and what former versions have left. Ends when `signal` aborts. */
  function liveMessages(consumers: Consumers, maxMessages: number, share: Share, signal: AbortSignal) {
    const turns = createTurns<JsMsg>();
    const reading = new Map<number, AbortController>();
    const add = (subject: string, until: AbortSignal) =>
      turns.add(messagesOf(consumers.get(subject) as Consumer, maxMessages, until));

    function follow() {
      const shards = share.shards();
      for (const [shard, until] of reading) {
        if (shards.has(shard)) continue;
        until.abort();
        reading.delete(shard);
      }
      for (const shard of shards) {
        if (reading.has(shard)) continue;
        const until = new AbortController();
        reading.set(shard, until);
        add(subjectOfShard(shard), until.signal);
      }
    }

    function end() {
      ignore();
      for (const until of reading.values()) until.abort();
      turns.close();
    }

    add(FORMER_SUBJECT, signal);
    follow();
    const ignore = share.onChange(follow);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    return turns.values();
  }

  return { messagesOf, liveMessages };
}

/** Whether nobody answers for a consumer, as while a cluster elects another leader of it. */
const isLeaderless = (error: unknown): boolean => error instanceof NatsError && error.code === '503';
