import type { Api, LogEntry } from './api.ts';
import { waitFor } from './wait.ts';

export interface Channel {
  readonly id: number;
  readonly publisher_key: string;
}

/**
 * Publishes as many at a time as `width` until it is stopped, or until `isOver` accepts a refusal. Only what was answered with 201
 * counts as accepted.
 */
export function startLoad(channel: Channel, currentApi: () => Api, { width = 16 } = {}) {
  const accepted: number[] = [];
  let isStopped = false;
  const publisher = async () => {
    while (!isStopped) {
      const published = await currentApi()
        .publish(channel)
        .catch(() => undefined);
      if (published) accepted.push(published.id);
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const running = Promise.all(Array.from({ length: width }, publisher));
  return {
    accepted,
    whenAccepted: (count: number) => waitFor(`${count} accepted events`, () => accepted.length >= count),
    async stop(): Promise<readonly number[]> {
      isStopped = true;
      await running;
      return accepted;
    },
  };
}

/** Resolves once the notification log of each event has one entry a webhook and all of them are `delivered`. */
export async function whenAllDelivered(api: Api, channel: Channel, eventIds: readonly number[], webhooks: number) {
  const left = new Set(eventIds);
  const isDelivered = (entries: LogEntry[]) =>
    entries.length === webhooks && entries.every(({ status }) => status === 'delivered');
  await waitFor(
    'every delivery',
    async () => {
      for (const id of left) {
        if (!isDelivered(await api.log(channel, id))) break;
        left.delete(id);
      }
      return { left: left.size, first: left.values().next().value };
    },
    (seen) => seen.left === 0,
    220_000,
  );
}
