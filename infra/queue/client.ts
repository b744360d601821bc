import {
  AckPolicy,
  connect,
  DeliverPolicy,
  DiscardPolicy,
  type JsMsg,
  NatsError,
  nanos,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from 'nats';
import type { Logger } from '../log.ts';
import { encodeMessage, type QueueMessage } from './message.ts';

const STREAM = 'DELIVERIES';
const SUBJECT = 'deliveries.due';

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

/**
 * The delivery queue: one JetStream stream on file storage that keeps a message until it is acknowledged, and one durable pull
 * consumer. Connects in the background and for ever.
 * @param ackWaitMs how long a worker may hold a message before it is handed out again
 */
export async function connectQueue(url: string, { ackWaitMs, log }: { ackWaitMs: number; log: Logger }) {
  const nc = await connect({
    servers: url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    // Of one handshake: a server that dies in the middle of it would else hold the client up for 20 s.
    timeout: 2_000,
    waitOnFirstConnect: true,
    noAsyncTraces: true,
  });
  let isConnected = true;
  void followStatus();
  const js = nc.jetstream();
  const jsm = await nc.jetstreamManager({ checkAPI: false });

  async function followStatus() {
    for await (const { type, data } of nc.status()) {
      if (type !== 'disconnect' && type !== 'reconnect') continue;
      isConnected = type === 'reconnect';
      log.warn({ server: data }, `nats: ${type}`);
    }
  }

  /** Creates the stream and its consumer where they are missing. Returns the stream. */
  async function ensure(): Promise<StreamInfo> {
    const stream = await jsm.streams.add({
      name: STREAM,
      subjects: [SUBJECT],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      duplicate_window: nanos(DUPLICATE_WINDOW_MS),
    });
    await addConsumer(stream).catch(async (error) => {
      if (!isTaken(error)) throw error;
      for await (const { name } of jsm.consumers.list(STREAM)) await jsm.consumers.delete(STREAM, name);
      await addConsumer(stream);
    });
    return stream;
  }

  const addConsumer = (stream: StreamInfo) =>
    jsm.consumers.add(STREAM, {
      durable_name: consumerOf(stream),
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWaitMs),
      deliver_policy: DeliverPolicy.All,
      max_deliver: -1,
      // Waiting retries count against it: any limit would let them block live traffic.
      max_ack_pending: -1,
    });

  return {
    isConnected: (): boolean => isConnected && !nc.isClosed(),

    ensure: async (): Promise<void> => void (await ensure()),

    /** Asks the broker. @throws NatsError, also where the stream is missing */
    async state(): Promise<QueueState> {
      const stream = await jsm.streams.info(STREAM);
      const consumer = await jsm.consumers.info(STREAM, consumerOf(stream));
      const kept = stream.state.messages;
      // A killed nats-server 2.9 comes back with messages that were acknowledged, and after a full disk with some that its consumer has forgotten.
      const messages = Math.min(kept, consumer.num_pending + consumer.num_ack_pending);
      let lagMs = 0;
      if (consumer.num_pending > 0) {
        const next = await jsm.streams.getMessage(STREAM, { seq: consumer.delivered.stream_seq + 1 }).catch(noMessage);
        lagMs = next ? Date.now() - next.time.getTime() : 0;
      }
      return {
        incarnation: stream.created,
        server: nc.info?.cluster === undefined ? (nc.info?.server_id ?? '') : 'cluster',
        lastSequence: stream.state.last_seq,
        ...{ messages, stuck: kept - messages, lagMs },
        untaken: consumer.num_pending,
        handedOut: consumer.delivered.consumer_seq,
        isAsked: consumer.num_waiting > 0,
      };
    },

    /** Makes the consumer anew: it hands out every message that is kept, whatever it knew of them. Workers find it by themselves. @throws NatsError */
    async renewConsumer(): Promise<void> {
      await jsm.consumers.delete(STREAM, consumerOf(await ensure()));
      await ensure();
    },

    /** Makes the stream anew, without a message. Workers find it by themselves. @throws NatsError */
    async renewStream(): Promise<void> {
      await jsm.streams.delete(STREAM);
      await ensure();
    },

    /**
     * Resolves once the message is on the broker's disk, with its sequence.
     * @param id repeated within DUPLICATE_WINDOW_MS, it is recognised and nothing is added
     * @throws NatsError
     */
    async publish(message: QueueMessage, id: string): Promise<number> {
      return (await js.publish(SUBJECT, encodeMessage(message), { msgID: id })).seq;
    },

    /**
     * The messages whose time has come, up to `maxMessages` of them ahead of the reader, until `signal` aborts.
     * @throws NatsError where stream or consumer are gone: the next call brings them back
     */
    async *consume(maxMessages: number, signal: AbortSignal): AsyncGenerator<JsMsg> {
      const consumer = await js.consumers.get(STREAM, consumerOf(await ensure()));
      const messages = await consumer.consume({ max_messages: maxMessages, abort_on_missing_resource: true });
      const stop = () => messages.stop();
      signal.addEventListener('abort', stop);
      if (signal.aborted) stop();
      try {
        yield* messages;
      } finally {
        signal.removeEventListener('abort', stop);
        messages.stop();
      }
    },

    /** Hands out what was acknowledged, then closes. */
    close: (): Promise<void> => nc.drain(),
  };
}

/**
 * A consumer's name, which acknowledgements name together with a message's sequence: those of a stream that is gone must not meet the messages of the
 * one that took its place.
 */
const consumerOf = ({ created }: StreamInfo): string => `delivery-${created.replace(/\D/g, '')}`;

/** Whether there is another consumer already: a stream that is a work queue has one. https://github.com/nats-io/nats-server/blob/main/server/errors.json */
function isTaken(error: unknown): boolean {
  return error instanceof NatsError && error.api_error?.err_code === 10_099;
}

function noMessage(error: unknown): undefined {
  if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
  throw error;
}
