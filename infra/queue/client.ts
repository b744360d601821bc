import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AckPolicy,
  type ConnectionOptions,
  type ConsumerConfig,
  type ConsumerInfo,
  connect,
  DeliverPolicy,
  DiscardPolicy,
  ErrorCode,
  type JsMsg,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
} from 'nats';
import type { Logger } from '../log.ts';
import { encodeMessage, type QueueMessage } from './message.ts';
import { createRepeater } from './repeater.ts';
import { DUE_SUBJECT, RETRY_SUBJECTS, subjectAt, subjectOfSlot, TIERS } from './tiers.ts';
import { inTurns } from './turns.ts';

const STREAM = 'DELIVERIES';

/** For how long the stream recognises a repeated message id, in ms. */
export const DUPLICATE_WINDOW_MS = 120_000;

/** What tells how the broker is doing. */
export interface QueueState {
  /** Another value means another stream: the broker has forgotten. */
  readonly incarnation: string;
  /** Another value means that the broker was started anew; always the same where it is a cluster, which bears that. */
  readonly server: string;
  /** Sequence of the newest message there ever was. */
  readonly lastSequence: number;
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

/** Messages that are fetched ahead from each slot at most: few of them hand out anything at a time. */
const AHEAD_OF_SLOT = 64;
/** How long the stream must have taken no message before it counts as broken, in ms. */
const BROKEN_MS = 1_000;
const BROKEN_CLUSTER_MS = 15_000;
/** How long a stream that was deleted may take to be gone, in ms. */
const AFTER_DELETE_MS = 250;
/** When a message that was to go to a slot, which did not take it, is handed out again, in ms: before the stream forgets its id. */
const NOT_TAKEN_MS = 10_000;

/**
 * The delivery queue: one JetStream stream on file storage that keeps a message until it is acknowledged, and durable pull consumers: one of what is live
 * or waits for a short time, and one of each slot of long waits (tiers.ts). Connects in the background and for ever.
 * @param url of one server or several, separated by commas
 * @param ackWaitMs how long a worker may hold a message before it is handed out again
 * @param access who connects, and whom it trusts (connection.ts)
 */
export async function connectQueue(
  url: string,
  {
    ackWaitMs,
    log,
    tiers = TIERS,
    access = {},
  }: { ackWaitMs: number; log: Logger; tiers?: typeof TIERS; access?: ConnectionOptions },
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
  });
  let isConnected = true;
  /** Since when every message was refused in a way that does not pass, by a monotonic clock. */
  let brokenSinceMs: number | undefined;
  const { untilAnswered, repeat } = createRepeater();
  void followStatus();
  const js = nc.jetstream();
  const jsm = await nc.jetstreamManager({ checkAPI: false });
  const subjects = [DUE_SUBJECT, ...Array.from({ length: tiers.slots }, (_, slot) => subjectOfSlot(slot))];

  const isCluster = () => nc.info?.cluster !== undefined;

  async function followStatus() {
    for await (const { type, data } of nc.status()) {
      if (type !== 'disconnect' && type !== 'reconnect') continue;
      isConnected = type === 'reconnect';
      log.warn({ server: data }, `nats: ${type}`);
      if (isConnected) repeat();
    }
  }

  async function renewConsumers(): Promise<void> {
    for (const consumer of await ensure()) await deleteConsumer(consumer);
    await ensure();
  }

  /** Creates the stream and its consumers where they are missing. Returns the consumers, that of DUE_SUBJECT first. */
  async function ensure(): Promise<ConsumerInfo[]> {
    await ensureStream();
    await remakeIfBroken();
    return await ensureConsumers().catch(async (error) => {
      if (!isTaken(error)) throw error;
      // Of a former version, or made by somebody else at the same time.
      for (const consumer of await listConsumers()) {
        if (!subjects.includes(consumer.config.filter_subject ?? '')) await deleteConsumer(consumer);
      }
      return await ensureConsumers();
    });
  }

  async function ensureConsumers(): Promise<ConsumerInfo[]> {
    const there = await consumersBySubject();
    return await Promise.all(subjects.map((subject) => ensureConsumer(subject, there.get(subject))));
  }

  /** A stream of former versions had fewer subjects. */
  async function ensureStream(): Promise<void> {
    const config = {
      subjects: [DUE_SUBJECT, RETRY_SUBJECTS],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    };
    await untilAnswered(() => jsm.streams.add({ name: STREAM, ...config })).catch((error) => {
      if (!isOther(error)) throw error;
      return untilAnswered(() => jsm.streams.update(STREAM, config));
    });
  }

  /**
   * Where a stream is deleted while somebody else makes it, what is then there may tell of itself and take no message, for good (nats-server 2.9.10): it is
   * made anew. That of a cluster may only have no leader for a while.
   */
  async function remakeIfBroken(): Promise<void> {
    if (
      brokenSinceMs === undefined ||
      performance.now() - brokenSinceMs < (isCluster() ? BROKEN_CLUSTER_MS : BROKEN_MS)
    )
      return;
    brokenSinceMs = undefined;
    log.warn('the queue takes no messages: it is made anew');
    await untilAnswered(() => jsm.streams.delete(STREAM)).catch((error) => {
      if (!isGone(error)) throw error;
    });
    // Let it be gone. Others may do the same, and one of them comes last.
    await delay(AFTER_DELETE_MS * (1 + Math.random()));
    await ensureStream();
  }

  async function ensureConsumer(subject: string, there: ConsumerInfo | undefined): Promise<ConsumerInfo> {
    const settings = {
      ack_wait: nanos(ackWaitMs),
      max_deliver: -1,
      // Waiting retries count against it: any limit would let them block live traffic.
      max_ack_pending: -1,
    };
    if (there) {
      if (isConfigured(there, settings)) return there;
      return await untilAnswered(() => jsm.consumers.update(STREAM, there.name, settings));
    }
    const durable_name = newName(subject);
    const ack_policy = AckPolicy.Explicit;
    const deliver_policy = DeliverPolicy.All;
    const config = { durable_name, filter_subject: subject, ack_policy, deliver_policy, ...settings };
    return await untilAnswered(() => jsm.consumers.add(STREAM, config));
  }

  /** What the stream has of consumers, ours or not: few enough for one answer. */
  const listConsumers = () => untilAnswered(() => jsm.consumers.list(STREAM).next());

  async function consumersBySubject(): Promise<Map<string, ConsumerInfo>> {
    return new Map((await listConsumers()).map((consumer) => [consumer.config.filter_subject ?? '', consumer]));
  }

  const deleteConsumer = ({ name }: ConsumerInfo) => untilAnswered(() => jsm.consumers.delete(STREAM, name));

  /** Resolves once the message is on the broker's disk. */
  async function put(subject: string, message: QueueMessage, msgID: string) {
    try {
      const ack = await untilAnswered(() => js.publish(subject, encodeMessage(message), { msgID }));
      brokenSinceMs = undefined;
      return ack;
    } catch (error) {
      if (isBroken(error)) brokenSinceMs ??= performance.now();
      throw error;
    }
  }

  return {
    isConnected: (): boolean => isConnected && !nc.isClosed(),

    ensure: async (): Promise<void> => void (await ensure()),

    /** Asks the broker. @throws NatsError, also where stream or consumers are missing */
    async state(): Promise<QueueState> {
      const stream = await untilAnswered(() => jsm.streams.info(STREAM));
      const there = await consumersBySubject();
      const consumers = subjects.map((subject) => {
        const consumer = there.get(subject);
        if (!consumer) throw new NatsError('consumer not found', '404');
        return consumer;
      });
      const total = (of: (consumer: ConsumerInfo) => number) =>
        consumers.reduce((sum, consumer) => sum + of(consumer), 0);
      const kept = stream.state.messages;
      // A killed nats-server 2.9 comes back with messages that were acknowledged, and after a full disk with some that its consumer has forgotten.
      const messages = Math.min(
        kept,
        total(({ num_pending, num_ack_pending }) => num_pending + num_ack_pending),
      );
      return {
        incarnation: stream.created,
        server: isCluster() ? 'cluster' : (nc.info?.server_id ?? ''),
        lastSequence: stream.state.last_seq,
        ...{ messages, stuck: kept - messages, lagMs: await lagMs(consumers[0] as ConsumerInfo) },
        untaken: total(({ num_pending }) => num_pending),
        handedOut: total(({ delivered }) => delivered.consumer_seq),
        isAsked: consumers.some(({ num_waiting }) => num_waiting > 0),
      };
    },

    /** Makes the consumers anew: they hand out every message that is kept, whatever they knew of them. Workers find them by themselves. @throws NatsError */
    renewConsumers,

    /** Throws every message away, and takes as repetitions those whose ids it has seen. Workers go on: a stream that is deleted may be broken by those who make it. @throws NatsError */
    async empty(): Promise<void> {
      await untilAnswered(() => jsm.streams.purge(STREAM));
    },

    /**
     * Resolves once the message is on the broker's disk, with its sequence.
     * @param id repeated within DUPLICATE_WINDOW_MS, it is recognised and nothing is added
     * @param dueMs when it is going to be wanted, as far as is known: it is handed out at once, and waits where it need not be moved
     * @throws NatsError
     */
    async publish(message: QueueMessage, id: string, dueMs = 0): Promise<number> {
      return (await put(subjectAt(dueMs, Date.now(), tiers), message, id)).seq;
    },

    /**
     * Lets a message that was handed out wait until `due_ms`: where it is, or in the slot of that time, as `message`. Its id there is that of the delivery and
     * the time, so that what is moved once more because its end was not acknowledged, or was there twice, becomes one. Resolves in any case.
     */
    async postpone(handedOut: JsMsg, message: QueueMessage & { readonly due_ms: number }): Promise<void> {
      const { event_id, webhook_id, due_ms } = message;
      const waitMs = Math.max(0, due_ms - Date.now());
      const subject = subjectAt(due_ms, Date.now(), tiers);
      if (subject === DUE_SUBJECT || subject === handedOut.subject) return handedOut.nak(waitMs);
      try {
        await put(subject, message, `${event_id}-${webhook_id}-${due_ms}`);
        handedOut.ack();
      } catch (error) {
        log.warn({ err: error, event_id, webhook_id }, 'a retry could not be put off, trying again');
        handedOut.nak(NOT_TAKEN_MS);
        await remakeIfBroken().catch((err) => log.warn({ err }, 'the queue could not be made anew'));
      }
    },

    /**
     * The messages whose time has come, or that have just been put in the slot of a later time, until `signal` aborts; a live one and one of
     * the slots, each of them in its turn.
     * Ends, too, where the stream or a consumer is gone: the next call brings them back.
     * @param maxMessages how many live ones are fetched ahead of the reader
     * @throws NatsError
     */
    async *consume(maxMessages: number, signal: AbortSignal): AsyncGenerator<JsMsg> {
      const consuming = (await ensure()).map((info, slot) =>
        js.consumers.getPullConsumerFor(info).consume({
          max_messages: slot === 0 ? maxMessages : Math.min(maxMessages, AHEAD_OF_SLOT),
          abort_on_missing_resource: true,
        }),
      );
      const sources = await Promise.all(consuming);
      const [live, ...slots] = sources as [(typeof sources)[0], ...typeof sources];
      const stop = () => {
        for (const messages of sources) messages.stop();
      };
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      try {
        yield* inTurns([live, inTurns(slots)]);
      } catch (error) {
        if (!isGone(error)) throw error;
        log.info('the queue was made anew');
        // By somebody who may still be at it: see remakeIfBroken.
        await delay(AFTER_DELETE_MS);
      } finally {
        signal.removeEventListener('abort', stop);
        stop();
      }
    },

    /** Hands out what was acknowledged, then closes. */
    close: (): Promise<void> => nc.drain(),
  };

  /** How long the oldest message that `consumer` has never handed out has been waiting. */
  async function lagMs({ num_pending, delivered }: ConsumerInfo): Promise<number> {
    if (num_pending === 0) return 0;
    const query = { seq: delivered.stream_seq + 1, next_by_subj: DUE_SUBJECT };
    const next = await untilAnswered(() => jsm.streams.getMessage(STREAM, query)).catch(noMessage);
    return next ? Date.now() - next.time.getTime() : 0;
  }
}

/**
 * A name that no consumer has had. Acknowledgements name the consumer and a message's sequence: those of a stream that is gone must not meet the messages of the
 * one that took its place. And nats-server 2.9 may still be deleting the files of one while it makes another of the same name, which then is broken for good.
 */
const newName = (subject: string): string => `${subject.replaceAll('.', '-')}-${randomUUID()}`;

type Configured = Pick<ConsumerConfig, 'ack_wait' | 'max_deliver' | 'max_ack_pending'>;

const isConfigured = ({ config }: ConsumerInfo, { ack_wait, max_deliver, max_ack_pending }: Configured): boolean =>
  config.ack_wait === ack_wait && config.max_deliver === max_deliver && config.max_ack_pending === max_ack_pending;

/** Whether there are consumers already that would get the same messages: a work queue has one for each. https://github.com/nats-io/nats-server/blob/main/server/errors.json */
const isTaken = (error: unknown): boolean => [10_099, 10_100].includes(errorCode(error));

/** Whether there is a stream of the name with other settings. */
const isOther = (error: unknown): boolean => errorCode(error) === 10_058;

/** Whether no stream listens, or one whose files are gone (10077 is also said of a full disk, which is another matter). */
const isBroken = (error: unknown): boolean =>
  error instanceof NatsError &&
  error.code === ErrorCode.NoResponders &&
  (error.api_error === undefined || error.api_error.description.includes('no such file'));

const errorCode = (error: unknown): number => (error instanceof NatsError && error.api_error?.err_code) || 0;

/** Whether the stream or a consumer was deleted. */
function isGone(error: unknown): boolean {
  return error instanceof NatsError && ['404', '409'].includes(error.code);
}

function noMessage(error: unknown): undefined {
  if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
  throw error;
}
