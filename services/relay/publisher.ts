import { createBackoff } from '../../infra/backoff.ts';
import type { Logger } from '../../infra/log.ts';
import type { Queue } from '../../infra/queue/client.ts';
import type { QueueMessage } from '../../infra/queue/message.ts';
import { createSlots } from '../../infra/slots.ts';

/** Messages on their way to the broker at a time: what bounds memory where one event meets many webhooks. */
const WINDOW = 512;

export type Publisher = ReturnType<typeof createPublisher>;

/** Puts messages on the queue, each until the broker has it: an outage holds the caller up and costs nothing else. */
export function createPublisher(queue: Queue, log: Logger, signal: AbortSignal) {
  const slots = createSlots(WINDOW);
  let lastSequence = 0;

  async function publish(message: QueueMessage, id: string) {
    const backoff = createBackoff();
    while (!signal.aborted) {
      try {
        lastSequence = Math.max(lastSequence, await queue.publish(message, id));
        return;
      } catch (error) {
        log.warn({ err: error, message_id: id }, 'the queue did not take a message, trying again');
        await backoff.wait(signal);
        await queue.ensure().catch((error) => log.warn({ err: error }, 'the queue is not reachable'));
      }
    }
  }

  return {
    /** Resolves when there is room for the next one. @param id the queue takes a message of the same id once */
    async add(message: QueueMessage, id: string): Promise<void> {
      await slots.acquire();
      void publish(message, id).finally(slots.release);
    },
    /**
     * Resolves once the broker has everything that was added, with the largest sequence seen since the last time: those of before may be another stream's.
     * @throws Error where `signal` aborted before that
     */
    async flush(): Promise<number> {
      await slots.whenIdle();
      if (signal.aborted) throw new Error('stopped before the queue had everything');
      const seen = lastSequence;
      lastSequence = 0;
      return seen;
    },
  };
}
