import { setTimeout as delay } from 'node:timers/promises';
import type { Api, LogEntry } from './api.ts';
import { waitFor } from './wait.ts';

/** The pause after a refusal, in ms. */
const REFUSED_MS = 20;

export interface Channel {
  readonly id: number;
  readonly publisher_key: string;
}

/**
 * Publishes as many at a time as `width`, each with a pause after every answer, until it is stopped. Only what was answered with 201
 * counts as accepted.
 */
export function startLoad(channel: Channel, currentApi: () => Api, { width = 16, pauseMs = 0 } = {}) {
  const accepted: number[] = [];
  let isStopped = false;
  const publisher = async () => {
    while (!isStopped) {
      const published = await currentApi()
        .publish(channel)
        .catch(() => undefined);
      if (published) accepted.push(published.id);
      const waitMs = published ? pauseMs : REFUSED_MS;
      if (waitMs > 0) await delay(waitMs);
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
