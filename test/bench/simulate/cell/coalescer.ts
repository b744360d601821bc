/** The most facts that go as one append; see `infra/event-store/coalescer.ts`. */
const MAX_FACTS = 500;

/**
 * What `infra/event-store/coalescer.ts` does, without its promises: while a stream's append is under way, what comes next for it waits together.
 * @param append sends them; to call `appended` once the store has them
 */
export function createCoalescer<T>(append: (batch: readonly T[], appended: () => void) => void) {
  const queues = new Map<number, T[]>();

  function drain(stream: number, queue: T[]) {
    if (queue.length === 0) {
      queues.delete(stream);
      return;
    }
    append(queue.splice(0, MAX_FACTS), () => drain(stream, queue));
  }

  return (stream: number, item: T): void => {
    const waiting = queues.get(stream);
    if (waiting) {
      waiting.push(item);
      return;
    }
    const queue = [item];
    queues.set(stream, queue);
    drain(stream, queue);
  };
}
