import type { JsMsg } from 'nats';
import type { Queue } from '../../infra/queue/client.ts';

/** How often it is looked after, in ms. */
const BEAT_MS = 500;

/**
 * The messages that are worked on. Tells the queue about those that are held for long, so that it does not hand them out a second time, and knows which
 * it may have handed out all the same: where the queue is away, or this process stood still.
 * @param ackWaitMs how long the queue lets a message be held before it hands it out again, in ms
 * @param nowMs a monotonic clock
 */
export function createHeld(queue: Pick<Queue, 'isConnected'>, ackWaitMs: number, nowMs: () => number) {
  /** When the queue was last told, or handed it out. */
  const toldMs = new Map<JsMsg, number>();
  let beatMs = nowMs();

  const timer = setInterval(() => {
    beatMs = nowMs();
    if (!queue.isConnected()) return;
    for (const [message, ms] of toldMs) {
      if (beatMs - ms < ackWaitMs / 3) continue;
      // Once it has been silent for too long it is too late to say anything.
      if (beatMs - ms < ackWaitMs) toldMs.set(message, beatMs);
      message.working();
    }
  }, BEAT_MS);
  timer.unref();

  return {
    add: (message: JsMsg) => void toldMs.set(message, nowMs()),
    remove: (message: JsMsg) => void toldMs.delete(message),
    /** Whether the queue takes a message to be here. */
    has: (message: JsMsg): boolean => nowMs() - (toldMs.get(message) ?? Number.NEGATIVE_INFINITY) < ackWaitMs,
    /** Whether this process has just stood still for so long that what it is handed now may have been sent to it long ago. */
    stoodStill: (): boolean => nowMs() - beatMs > ackWaitMs / 2,
    stop: () => clearInterval(timer),
  };
}
