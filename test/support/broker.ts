import { connect } from 'nats';

const STREAM = 'DELIVERIES';

export type Broker = Awaited<ReturnType<typeof openBroker>>;

/** The delivery queue as its broker sees it, behind the services' back. */
export async function openBroker(natsUrl: string) {
  const nc = await connect({ servers: natsUrl, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const { streams, consumers } = await nc.jetstreamManager({ checkAPI: false });
  async function consumer() {
    const [only] = await consumers.list(STREAM).next();
    if (!only) throw new Error('the queue has no consumer');
    return only;
  }

  return {
    /** How many messages the stream holds, whether or not anybody is going to get them. */
    messages: async (): Promise<number> => (await streams.info(STREAM)).state.messages,
    /** Throws all messages away; the stream stays, and its numbers go on. */
    purge: async (): Promise<void> => void (await streams.purge(STREAM)),
    /** How many of them are still going to be handed out, now or later. */
    async toCome(): Promise<number> {
      const { num_pending, num_ack_pending } = await consumer();
      return num_pending + num_ack_pending;
    },
    /** From now on no message is handed out more than so many times: after that the stream still has it, for nobody. */
    async deliverAtMost(times: number): Promise<void> {
      const { name } = await consumer();
      await consumers.update(STREAM, name, { max_deliver: times });
    },
    close: (): Promise<void> => nc.close(),
  };
}
