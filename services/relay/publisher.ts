import { createBackoff } from '../../infra/backoff.ts';
import type { Logger } from '../../infra/log.ts';
import type { Queue } from '../../infra/queue/client.ts';
import type { QueueMessage } from '../../infra/queue/message.ts';
import { seldom } from '../../infra/seldom.ts';
import { createSlots } from '../../infra/slots.ts';
import type { Term } from './leadership.ts';

/** Messages on their way to the broker at a time: what bounds memory where one event meets many webhooks. */
const WINDOW = 512;
/** How often it is said at most that the queue refuses messages, in ms. */
const SAY_MS = 5_000;

export type Publisher = ReturnType<typeof createPublisher>;

/** Puts messages on the queue, each until the broker has it, or the term is over: an outage holds the caller up and costs nothing else. */
export function createPublisher(queue: Queue, log: Logger, term: Pick<Term, 'signal' | 'isOver'>) {
  const slots = createSlots(WINDOW);
  let lastSequence = 0;
  const sayRefused = seldom(SAY_MS, (error: unknown, message_id: string) =>
    log.warn({ err: error, message_id }, 'the queue does not take messages, trying again'),
  );

  async function publish(message: QueueMessage, id: string, dueMs?: number) {
    const backoff = createBackoff();
    while (!term.isOver()) {
      try {
        const sequence = await queue.publish(message, id, dueMs);
        // Answers come about in order; one from far behind is of another stream, whose numbers begin anew.
        lastSequence = sequence < lastSequence - WINDOW ? sequence : Math.max(lastSequence, sequence);
        return;
      } catch (error) {
        sayRefused(error, id);
        await backoff.wait(term.signal);
        await queue.ensure().catch((error) => sayRefused(error, id));
      }
    }
  }

  return {
    /**
     * Resolves when it is on its way; undefined where it is at once: what is added with no wait between is written to the broker in one go.
     * @param id the queue takes a message of the same id once
     * @param dueMs when it is wanted; absent: at once
     */
    add(message: QueueMessage, id: string, dueMs?: number): Promise<void> | undefined {
      const begin = () => void publish(message, id, dueMs).finally(slots.release);
      const whenRoom = slots.acquire();
      if (whenRoom) return whenRoom.then(begin);
      begin();
      return undefined;
    },
    /**
     * Resolves once the broker has everything that was added, with the last sequence since the flush before; undefined where there was none.
     * @throws Error where the term was over before that
     */
    async flush(): Promise<number | undefined> {
      await slots.whenIdle();
      if (term.isOver()) throw new Error('stopped before the queue had everything');
      const flushed = lastSequence;
      lastSequence = 0;
      return flushed === 0 ? undefined : flushed;
    },
  };
}
