import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectionOptions, type ConsumerInfo, connect, type JsMsg, NatsError, type StreamInfo } from 'nats';
import type { Logger } from '../log.ts';
import { pause } from '../pause.ts';
import { encodeMessage, type QueueMessage } from './message.ts';
import { createPublications } from './publications.ts';
import { createPulls } from './pulls.ts';
import { createRecords, type Records } from './records.ts';
import { createRepeater } from './repeater.ts';
import { FORMER_SUBJECT, shardOf, subjectOfShard } from './shards.ts';
import { AFTER_DELETE_MS, type Consumers, createStream, isGone, STREAM } from './stream.ts';
import { isLongWait, subjectAt, TIERS } from './tiers.ts';
import { inTurns } from './turns.ts';
import { hearingWaits, tellingWaits } from './waits.ts';
import { joinWorkers, type Membership, type Share, WHOLE } from './workers.ts';

/** What tells whether the broker still is the one that is known. */
export interface QueueIdentity {
  /** Another value means another stream: the broker has forgotten. */
  readonly incarnation: string;
  /** Another value means that the broker was started anew; always the same where it is a cluster, which bears that. */
  readonly server: string;
  /** Sequence of the newest message there ever was. */
  readonly lastSequence: number;
}

/** What tells how the broker is doing. */
export interface QueueState extends QueueIdentity {
  /** Messages that are going to be handed out, those that wait for a later time included. */
  readonly messages: number;
  /** Messages that were never handed to a worker. */
  readonly untaken: number;
  /** Messages that are kept and handed out to nobody. */
  readonly stuck: number;
  /** How many times a message was handed out so far. */
  readonly handedOut: number;
  /** Whether a worker is asking for messages. */
  readonly isAsked: boolean;
  /** How long the oldest message that was never handed to a worker has been waiting, in ms. */
  readonly lagMs: number;
}

export type Queue = Awaited<ReturnType<typeof connectQueue>>;

export interface QueueOptions {
  /** How long a worker may hold a message before it is handed out again, in ms. */
  readonly ackWaitMs: number;
  readonly log: Logger;
  /** On how many servers each message is kept; absent: one. */
  readonly replicas?: number;
  readonly tiers?: typeof TIERS;
  /** How long a cluster may have nobody to lead the stream or a consumer before it is made anew, in ms; absent: LEADERLESS_MS. */
  readonly leaderlessMs?: number;
  /** Who connects, and whom it trusts (connection.ts). */
  readonly access?: ConnectionOptions;
}

/** Longer than an election takes on a loaded machine: what a cluster makes anew while one of its servers is away, that server may never catch up with (nats-server 2.9). */
const LEADERLESS_MS = 60_000;
/** Messages that are fetched ahead from each slot at most: few of them hand out anything at a time. */
const AHEAD_OF_SLOT = 64;
/** When a message that was to go to another subject, which did not take it, is handed out again, in ms: before the stream forgets its id. */
const NOT_TAKEN_MS = 10_000;
/** By when all consumers have been asked for messages, in ms. */
const BEGUN_MS = 1_000;
/** How often it is looked whether the server still answers, in ms; after two questions without an answer the connection counts as lost: it may hang half-open. */
const PING_MS = 3_000;
/** How long the server may take to read what was sent to it before the connection is closed, in ms. */
const FLUSH_MS = 2_000;

/**
 * The delivery queue: one JetStream stream on file storage that keeps a message until it is acknowledged, and durable pull consumers: one of each shard of
 * what is live or waits for a short time (shards.ts), and one of each slot of long waits (tiers.ts). Connects in the background and for ever.
 * @param url of one server or several, separated by commas
 */
export async function connectQueue(
  url: string,
  { ackWaitMs, log, replicas = 1, tiers = TIERS, leaderlessMs = LEADERLESS_MS, access = {} }: QueueOptions,
) {
  const nc = await connect({
    ...access,
    servers: url.split(','),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    // Of one handshake: a server that dies in the middle of it would else hold the client up for 20 s.
    timeout: 2_000,
    waitOnFirstConnect: true,
    noAsyncTraces: true,
    pingInterval: PING_MS,
    maxPingOut: 2,
  });
  let isConnected = true;
  const { untilAnswered, repeat } = createRepeater();
  const publications = createPublications(nc);
  void followStatus();
  const js = nc.jetstream();
  const jsm = await nc.jetstreamManager({ checkAPI: false });
  const isCluster = () => nc.info?.cluster !== undefined;
  const stream = createStream({ nc, jsm, untilAnswered, ackWaitMs, replicas, tiers, isCluster, leaderlessMs, log });
  const records = await createRecords(nc, replicas);
  const { messagesOf, liveMessages } = createPulls({
    js,
    jsm,
    untilAnswered,
    isCluster,
    leaderlessMs,
    deleteConsumer: stream.deleteConsumer,
    log,
  });

  async function followStatus() {
    for await (const { type, data } of nc.status()) {
      if (type !== 'disconnect' && type !== 'reconnect') continue;
      isConnected = type === 'reconnect';
      log.warn({ server: data }, `nats: ${type}`);
      if (!isConnected) continue;
      repeat();
      publications.repeat();
    }
  }

  const isUp = (): boolean => isConnected && !nc.isClosed();

  /** Resolves once the message is on the broker's disk, with its sequence. */
  async function put(subject: string, message: QueueMessage, id: string): Promise<number> {
    try {
      const sequence = await publications.publish(subject, encodeMessage(message), id);
      stream.took();
      return sequence;
    } catch (error) {
      stream.refused(error);
      throw error;
    }
  }

  /** Puts a message that was handed out where it is to be from now on, and lets go of it; in vain, it comes again. */
  async function move(handedOut: JsMsg, subject: string, message: QueueMessage, id: string): Promise<void> {
    try {
      await put(subject, message, id);
      handedOut.ack();
    } catch (error) {
      const { event_id, webhook_id } = message;
      log.warn({ err: error, event_id, webhook_id, subject }, 'a message could not be moved, trying again');
      handedOut.nak(NOT_TAKEN_MS);
      await stream.remakeIfBroken().catch((err) => log.warn({ err }, 'the queue could not be made anew'));
    }
  }

  const identityIn = ({ created, state }: StreamInfo): QueueIdentity => ({
    incarnation: created,
    server: isCluster() ? 'cluster' : (nc.info?.server_id ?? ''),
    lastSequence: state.last_seq,
  });

  return {
    isConnected: isUp,

    /** Resolves with what ended the connection for good: the broker has refused who we are twice in a row. Never where it was closed here. */
    whenLost: (): Promise<Error> => nc.closed().then((error) => error ?? new Promise<never>(() => {})),

    /** Small records that all nodes share. */
    records: records as Records,

    /** Becomes one of those who work, until it leaves. */
    join: (): Membership => joinWorkers(nc, isUp),

    /** Creates the stream and its consumers where they are missing. @throws NatsError */
    ensure: async (): Promise<void> => void (await stream.ensure()),

    /** Asks the broker, which knows that at once. @throws NatsError, also where the stream is missing */
    identity: async (): Promise<QueueIdentity> => identityIn(await untilAnswered(() => jsm.streams.info(STREAM))),

    /**
     * Asks the broker, which counts all that is pending: nothing to be asked several times a second (waits.ts says why).
     * @throws NatsError, also where stream or consumers are missing
     */
    async state(): Promise<QueueState> {
      const info = await untilAnswered(() => jsm.streams.info(STREAM));
      const { all, due } = await stream.consumers();
      const total = (of: (consumer: ConsumerInfo) => number) => all.reduce((sum, consumer) => sum + of(consumer), 0);
      const kept = info.state.messages;
      // A killed nats-server 2.9 comes back with messages that were acknowledged, and after a full disk with some that its consumer has forgotten.
      const messages = Math.min(
        kept,
        total(({ num_pending, num_ack_pending }) => num_pending + num_ack_pending),
      );
      return {
        ...identityIn(info),
        ...{ messages, stuck: kept - messages, lagMs: Math.max(...(await Promise.all(due.map(lagMs)))) },
        untaken: total(({ num_pending }) => num_pending),
        handedOut: total(({ delivered }) => delivered.consumer_seq),
        isAsked: all.some(({ num_waiting }) => num_waiting > 0),
      };
    },

    /** Makes the consumers anew: they hand out every message that is kept, whatever they knew of them. Workers find them by themselves. @throws NatsError */
    renewConsumers: stream.renewConsumers,

    /** Throws every message away, and takes as repetitions those whose ids it has seen. Workers go on: a stream that is deleted may be broken by those who make it. @throws NatsError */
    empty: stream.empty,

    /**
     * Resolves once the message is on the broker's disk, with its sequence.
     * @param id repeated within DUPLICATE_WINDOW_MS, it is recognised and nothing is added
     * @param dueMs when it is going to be wanted, as far as is known: it is handed out at once, and waits where it need not be moved
     * @throws NatsError
     */
    publish: (message: QueueMessage, id: string, dueMs = 0): Promise<number> =>
      put(subjectAt(message.webhook_id, dueMs, Date.now(), tiers), message, id),

    /**
     * Lets a message that was handed out wait until `due_ms`: where it is, or in the slot of that time, as `message`. Its id there is that of the delivery and
     * the time, so that what is moved once more because its end was not acknowledged, or was there twice, becomes one. Resolves in any case.
     */
    async postpone(handedOut: JsMsg, message: QueueMessage & { readonly due_ms: number }): Promise<void> {
      const { event_id, webhook_id, due_ms } = message;
      const nowMs = Date.now();
      const subject = subjectAt(webhook_id, due_ms, nowMs, tiers);
      if (!isLongWait(due_ms, nowMs, tiers) || subject === handedOut.subject) {
        return handedOut.nak(Math.max(0, due_ms - nowMs));
      }
      await move(handedOut, subject, message, `${event_id}-${webhook_id}-${due_ms}`);
    },

    /**
     * Lets another worker have a message that was handed out, since its webhook is theirs: it is moved to the subject of its shard, or handed out once more
     * where it is there. Resolves in any case.
     */
    async passOn(handedOut: JsMsg, message: QueueMessage): Promise<void> {
      const subject = subjectOfShard(shardOf(message.webhook_id));
      if (handedOut.subject === subject) return handedOut.nak();
      await move(handedOut, subject, message, `moved-${handedOut.info.streamSequence}`);
    },

    /**
     * The messages whose time has come, or that have just been put in the slot of a later time, until `signal` aborts; a live one and one of
     * the slots, each of them in its turn.
     * Ends, too, where the stream or a consumer is gone: the next call brings them back.
     * @param maxMessages how many live ones of a shard are fetched ahead of the reader
     * @param share which of the live ones; absent: all
     * @throws NatsError
     */
    async *consume(maxMessages: number, signal: AbortSignal, share: Share = WHOLE): AsyncGenerator<JsMsg> {
      const consumers = await stream.ensure();
      const ended = new AbortController();
      const until = AbortSignal.any([signal, ended.signal]);
      const slots = [...consumers].filter(([subject]) => !subject.startsWith(FORMER_SUBJECT));
      const waiting = slots.map(([, consumer]) => messagesOf(consumer, Math.min(maxMessages, AHEAD_OF_SLOT), until));
      try {
        const live = liveMessages(consumers, maxMessages, share, until);
        yield* tellingWaits(nc, inTurns<JsMsg>([live, inTurns(waiting), endIfGone(consumers, until)]));
      } catch (error) {
        if (!isGone(error)) throw error;
        log.info('the queue was made anew');
        // By somebody who may still be at it: see stream.ts.
        await delay(AFTER_DELETE_MS);
      } finally {
        ended.abort();
      }
    },

    /** How long messages wait until a worker takes them, as the workers of all nodes tell. @throws Error where none of them has told lately */
    waits: hearingWaits(nc),

    /** Resolves once the server, where it still listens, has read what it was sent, and the connection is closed. */
    async close(): Promise<void> {
      if (nc.isClosed()) return;
      const over = new AbortController();
      const flushed = nc.flush().catch((err) => log.warn({ err }, 'the connection to NATS could not be flushed'));
      await Promise.race([flushed, pause(FLUSH_MS, over.signal)]);
      over.abort();
      await nc.close();
    },
  };

  /**
   * Gives nothing. A server drops requests for messages of a consumer that was deleted just before they came, without a word; in a cluster the consumer's
   * heartbeat is missed (pulls.ts).
   * @throws NatsError where they are gone
   */
  async function* endIfGone(consumers: Consumers, signal: AbortSignal): AsyncGenerator<never> {
    await pause(BEGUN_MS, signal);
    if (signal.aborted || isCluster()) return;
    if (!(await stream.has(consumers))) throw new NatsError('consumer not found', '404');
    yield* [];
  }

  /** How long the oldest message that `consumer` has never handed out has been waiting. */
  async function lagMs({ num_pending, delivered, config }: ConsumerInfo): Promise<number> {
    if (num_pending === 0) return 0;
    const query = { seq: delivered.stream_seq + 1, next_by_subj: config.filter_subject as string };
    const next = await untilAnswered(() => jsm.streams.getMessage(STREAM, query)).catch(noMessage);
    return next ? Date.now() - next.time.getTime() : 0;
  }
}

function noMessage(error: unknown): undefined {
  if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
  throw error;
}
