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
} from 'nats';
import type { Logger } from '../log.ts';
import { encodeMessage, type QueueMessage } from './message.ts';

const STREAM = 'DELIVERIES';
const SUBJECT = 'deliveries.due';
const CONSUMER = 'delivery';

/** For how long the stream recognises a repeated message id, in ms. */
export const DUPLICATE_WINDOW_MS = 120_000;

/** What tells how the broker is doing. */
export interface QueueState {
  /** Another value means another stream: the broker has forgotten. */
  readonly incarnation: string;
  /** Sequence of the oldest message that is there, and of the newest there ever was. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Sequence up to which the workers are done with every message, whether or not it is still there. */
  readonly doneSequence: number;
  /** Messages that are going to be handed out, those that wait for a later time included. */
  readonly messages: number;
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

  return {
    isConnected: (): boolean => isConnected && !nc.isClosed(),

    /** Creates the stream and the consumer where they are missing. */
    async ensure(): Promise<void> {
      await jsm.streams.add({
        name: STREAM,
        subjects: [SUBJECT],
        retention: RetentionPolicy.Workqueue,
        storage: StorageType.File,
        discard: DiscardPolicy.New,
        duplicate_window: nanos(DUPLICATE_WINDOW_MS),
      });
      await jsm.consumers.add(STREAM, {
        durable_name: CONSUMER,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ackWaitMs),
        deliver_policy: DeliverPolicy.All,
        max_deliver: -1,
        // Waiting retries count against it: any limit would let them block live traffic.
        max_ack_pending: -1,
      });
    },

    /** Asks the broker. @throws NatsError, also where the stream is missing */
    async state(): Promise<QueueState> {
      const stream = await jsm.streams.info(STREAM);
      const consumer = await jsm.consumers.info(STREAM, CONSUMER);
      const { first_seq: firstSequence, last_seq: lastSequence } = stream.state;
      const doneSequence = consumer.ack_floor.stream_seq;
      // After a full disk the stream may hold messages that the consumer has forgotten: nobody is ever going to get them.
      const messages = Math.min(stream.state.messages, consumer.num_pending + consumer.num_ack_pending);
      let lagMs = 0;
      if (consumer.num_pending > 0) {
        const next = await jsm.streams.getMessage(STREAM, { seq: consumer.delivered.stream_seq + 1 }).catch(noMessage);
        lagMs = next ? Date.now() - next.time.getTime() : 0;
      }
      return { incarnation: stream.created, firstSequence, lastSequence, doneSequence, messages, lagMs };
    },

    /** Removes every message up to a sequence, and what the consumer remembers of them. @throws NatsError */
    async purge(upToSequence: number): Promise<void> {
      await jsm.streams.purge(STREAM, { seq: upToSequence + 1 });
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
     * @throws NatsError where stream or consumer are gone: `ensure` brings them back
     */
    async *consume(maxMessages: number, signal: AbortSignal): AsyncGenerator<JsMsg> {
      const consumer = await js.consumers.get(STREAM, CONSUMER);
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

function noMessage(error: unknown): undefined {
  if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
  throw error;
}
