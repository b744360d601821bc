import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';

export interface Channel {
  readonly id: number;
  readonly publisher_key: string;
}

export type Api = ReturnType<typeof connectApi>;

/** A client of the gateway with a fixed number of connections. */
export function connectApi(url: string, connections: number) {
  const pool = new Pool(url, { connections, pipelining: 1 });
  return {
    /** @throws Error on any answer but 200 and 201 */
    async post<T>(path: string, body: unknown, key?: string): Promise<T> {
      const { statusCode, body: answer } = await pool.request({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      if (statusCode !== 200 && statusCode !== 201) throw new Error(`POST ${path}: ${statusCode} ${text}`);
      return JSON.parse(text);
    },
    close: () => pool.close(),
  };
}

/** Makes channels with one webhook each. */
export async function makeChannels(api: Api, count: number, webhookUrl: string): Promise<Channel[]> {
  const channels: Channel[] = [];
  for (let i = 0; i < count; i++) {
    const channel = await api.post<Channel>('/v1/channels', { name: `bench ${i}` });
    await api.post(`/v1/channels/${channel.id}/webhooks`, { webhook_url: webhookUrl }, channel.publisher_key);
    channels.push(channel);
  }
  return channels;
}

function publish(api: Api, { id, publisher_key }: Channel): Promise<unknown> {
  const event = { event_name: 'bench.tick', data: { sent_ms: Date.now() } };
  return api.post(`/v1/channels/${id}/events`, event, publisher_key);
}

/** Publishes for `durationMs` with `width` requests under way at all times; how long each took, in ms. */
export async function publishFor(api: Api, channels: readonly Channel[], width: number, durationMs: number) {
  const latenciesMs: number[] = [];
  const untilMs = performance.now() + durationMs;
  const publisher = async (index: number) => {
    for (let i = index; performance.now() < untilMs; i++) {
      const beganMs = performance.now();
      await publish(api, channels[i % channels.length] as Channel);
      latenciesMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: width }, (_, index) => publisher(index)));
  return latenciesMs;
}

/** Publishes `count` events, `width` at a time. */
export async function publishCount(api: Api, channel: Channel, width: number, count: number): Promise<void> {
  let left = count;
  const publisher = async () => {
    while (left-- > 0) await publish(api, channel);
  };
  await Promise.all(Array.from({ length: width }, publisher));
}

/** Resolves once so many deliveries have been answered with 500. */
export async function whenAllAttempted(receiver: { failed(): Promise<number> }, count: number): Promise<void> {
  while ((await receiver.failed()) < count) await delay(200);
}

/** Publishes so many events a second, each at its time, however long the others take (open loop); how many there were. */
export async function publishAtRate(api: Api, channel: Channel, perS: number, durationMs: number): Promise<number> {
  const underWay: Promise<unknown>[] = [];
  const beganMs = performance.now();
  for (let i = 0; i < (perS * durationMs) / 1_000; i++) {
    const waitMs = beganMs + (i * 1_000) / perS - performance.now();
    if (waitMs > 1) await delay(waitMs);
    underWay.push(publish(api, channel));
  }
  await Promise.all(underWay);
  return underWay.length;
}

/** The value below which `share` of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The next message of a child process. */
export async function nextMessage<T>(child: NodeJS.EventEmitter): Promise<T> {
  const [message] = await once(child, 'message');
  return message as T;
}
