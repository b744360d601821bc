import type { Timeline } from '../timeline.ts';
import type { Delivery } from './setting.ts';

/** Counts what becomes of events and deliveries, and sees to it that each is made once. */
export function createTally(timeline: Timeline) {
  const latenciesMs: number[] = [];
  const counts = { published: 0, accepted: 0, delivered: 0, retrying: 0, posts: 0, tookMs: 0 };
  return {
    counts,
    latenciesMs,
    posted(delivery: Delivery): void {
      delivery.posts += 1;
      counts.posts += 1;
    },
    received({ event, webhook }: Delivery): void {
      if (webhook.kind !== 'healthy') return;
      latenciesMs.push(timeline.nowMs() - event.dueMs);
      counts.tookMs = timeline.nowMs();
    },
    /** @throws Error where a delivery is recorded that was not POSTed just once */
    recorded({ posts }: Delivery, isOk: boolean): void {
      if (posts !== 1) throw new Error(`a delivery was POSTed ${posts} times`);
      counts[isOk ? 'delivered' : 'retrying'] += 1;
    },
  };
}
