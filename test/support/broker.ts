import { type ConsumerInfo, connect, RetentionPolicy } from 'nats';

const STREAM = 'DELIVERIES';

export type Broker = Awaited<ReturnType<typeof openBroker>>;

/** The delivery queue as its broker sees it, behind the services' back. */
export async function openBroker(natsUrl: string) {
  const nc = await connect({ servers: natsUrl, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const { streams, consumers } = await nc.jetstreamManager({ checkAPI: false });
  const all = () => consumers.list(STREAM).next();

  return {
    /** How many messages the stream holds, whether or not anybody is going to get them. */
    messages: async (): Promise<number> => (await streams.info(STREAM)).state.messages,
    /** Throws all messages away; the stream stays, and its numbers go on. */
    purge: async (): Promise<void> => void (await streams.purge(STREAM)),
    /** Throws the stream away. */
    deleteStream: async (): Promise<void> => void (await streams.delete(STREAM)),
    /** Makes the stream as the queue does, but for its settings. */
    async makeStream(): Promise<void> {
      const subjects = ['deliveries.due', 'deliveries.retry.*'];
      await streams.add({ name: STREAM, subjects, retention: RetentionPolicy.Workqueue });
    },
    /** Puts a message on it that is none of the queue's. @throws NatsError where it takes none */
    publish: async (): Promise<void> => void (await nc.jetstream().publish('deliveries.due', 'x')),
    isThere: (): Promise<boolean> => streams.info(STREAM).then(yes, no),
    /** How many of them are still going to be handed out, now or later. */
    toCome: async (): Promise<number> => (await all()).reduce((sum, consumer) => sum + held(consumer), 0),
    /** The same, by subject; those of which there are none are left out. */
    async toComeBySubject(): Promise<Record<string, number>> {
      const holding = (await all()).filter((consumer) => held(consumer) > 0);
      return Object.fromEntries(holding.map((consumer) => [consumer.config.filter_subject, held(consumer)]));
    },
    /** From now on no message is handed out more than so many times: after that the stream still has it, for nobody. */
    async deliverAtMost(times: number): Promise<void> {
      for (const { name } of await all()) await consumers.update(STREAM, name, { max_deliver: times });
    },
    /** From now on the stream takes no more messages than so many. */
    keepAtMost: async (max_msgs: number): Promise<void> => void (await streams.update(STREAM, { max_msgs })),
    /** Takes away the consumer of a subject. */
    async deleteConsumer(subject: string): Promise<void> {
      const consumer = (await all()).find(({ config }) => config.filter_subject === subject);
      await consumers.delete(STREAM, consumer?.name ?? '');
    },
    close: (): Promise<void> => nc.close(),
  };
}

const yes = (): boolean => true;
const no = (): boolean => false;

const held = ({ num_pending, num_ack_pending }: ConsumerInfo): number => num_pending + num_ack_pending;
