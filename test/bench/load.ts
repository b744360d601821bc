import { on } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { nowUs } from './clock.ts';
import { type Answer, createLeanClient, jsonRequest } from './lean-client.ts';

export interface Channel {
  readonly id: number;
  readonly publisher_key: string;
}

export type Api = ReturnType<typeof connectApi>;

/** A client of the gateway with a fixed number of connections. */
export function connectApi(url: string, connections: number) {
  const client = createLeanClient(url, connections);

  /** Whatever the answer is. */
  const ask = (path: string, body: unknown, key?: string): Promise<Answer> =>
    client.exchange(jsonRequest(client.host, path, JSON.stringify(body), key));

  return {
    ask,
    /** @throws Error on any answer but 200 and 201 */
    async post<T>(path: string, body: unknown, key?: string): Promise<T> {
      const { status, text } = await ask(path, body, key);
      if (status !== 200 && status !== 201) throw new Error(`POST ${path}: ${status} ${text}`);
      return JSON.parse(text);
    },
    close: client.close,
  };
}

/** Makes a channel with a webhook at each of the URLs. */
export async function makeChannel(api: Api, webhookUrls: readonly string[]): Promise<Channel> {
  const channel = await api.post<Channel>('/v1/channels', { name: 'bench' });
  const hang = (webhook_url: string) =>
    api.post(`/v1/channels/${channel.id}/webhooks`, { webhook_url }, channel.publisher_key);
  for (const webhookUrl of webhookUrls) await hang(webhookUrl);
  return channel;
}

/** How long a publisher that is refused for overload waits, in ms. */
const OVERLOADED_MS = 100;

/** @param sentUs when it is, or should have been, sent @returns whether it was accepted, or refused for overload @throws Error where it is neither */
async function publish(api: Api, { id, publisher_key }: Channel, round: number, sentUs = nowUs(), size = 0) {
  const { status, text } = await api.ask(`/v1/channels/${id}/events`, tick(round, sentUs, size), publisher_key);
  if (status !== 201 && status !== 503) throw new Error(`an event was not accepted: ${status} ${text}`);
  if (status === 503) await delay(OVERLOADED_MS);
  return status === 201;
}

/** Publishes again for as long as it is refused for overload. */
async function publishAnyway(api: Api, channel: Channel, round: number, sentUs = nowUs()): Promise<void> {
  for (let isAccepted = false; !isAccepted; ) isAccepted = await publish(api, channel, round, sentUs);
}

/** @param size of what it carries, in bytes; 0: as little as there need be */
const tick = (round: number, sentUs: number, size = 0) => ({
  event_name: 'bench.tick',
  data: { round, sent_us: sentUs, ...(size > 0 && { text: 'x'.repeat(size) }) },
});

/** What became of a publication that may be refused. */
export interface Outcome {
  /** 0 where there was no answer. */
  readonly status: number;
  /** Of the event, where it was accepted. */
  readonly id: number | undefined;
  /** From when it was due until the answer, in ms. */
  readonly tookMs: number;
}

/** Publishes once, whatever comes of it. */
export async function tryPublish(api: Api, channel: Channel, round: number, dueUs: number): Promise<Outcome> {
  const path = `/v1/channels/${channel.id}/events`;
  const { status, text } = await api
    .ask(path, tick(round, dueUs), channel.publisher_key)
    .catch(() => ({ status: 0, text: '' }));
  const id = status === 201 ? (JSON.parse(text) as { id: number }).id : undefined;
  return { status, id, tookMs: (nowUs() - dueUs) / 1_000 };
}

/** Publishes for `durationMs` with `width` requests under way at all times; how long each took, in ms. */
export async function publishFor(
  api: Api,
  channels: readonly Channel[],
  { round, width, durationMs, size = 0 }: { round: number; width: number; durationMs: number; size?: number },
): Promise<number[]> {
  const latenciesMs: number[] = [];
  const untilMs = performance.now() + durationMs;
  const publisher = async (index: number) => {
    for (let i = index; performance.now() < untilMs; i++) {
      const beganMs = performance.now();
      const isAccepted = await publish(api, channels[i % channels.length] as Channel, round, nowUs(), size);
      if (isAccepted) latenciesMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: width }, (_, index) => publisher(index)));
  return latenciesMs;
}

/** Publishes `count` events, to one channel after the other and `width` at a time. */
export async function publishCount(
  api: Api,
  channels: readonly Channel[],
  { round, width, count }: { round: number; width: number; count: number },
): Promise<void> {
  let begun = 0;
  const publisher = async () => {
    while (begun < count) {
      const channel = channels[begun++ % channels.length] as Channel;
      await publishAnyway(api, channel, round);
    }
  };
  await Promise.all(Array.from({ length: width }, publisher));
}

/**
 * Publishes `count` events, to one channel after the other, each at its time, however long the others take (open loop). What is sent late, here or
 * because all connections are taken, still counts from when it should have been sent: its subscriber has waited that long. By how much each was late here, in ms.
 */
export async function publishAtRate(
  api: Api,
  channels: readonly Channel[],
  { round, ...rate }: { round: number; perS: number; count: number },
): Promise<number[]> {
  const { lateMs } = await atRate(rate, (index, dueUs) =>
    publishAnyway(api, channels[index % channels.length] as Channel, round, dueUs),
  );
  return lateMs;
}

/** Begins `count` pieces of work, each at its time, and waits for all of them. */
export async function atRate<T>(
  { perS, count }: { perS: number; count: number },
  work: (index: number, dueUs: number) => Promise<T>,
): Promise<{ results: T[]; lateMs: number[] }> {
  const underWay: Promise<T>[] = [];
  const lateMs: number[] = [];
  const beganUs = nowUs();
  while (underWay.length < count) {
    const dueUs = Math.round(beganUs + (underWay.length * 1_000_000) / perS);
    const waitMs = (dueUs - nowUs()) / 1_000;
    if (waitMs > 0) {
      await delay(waitMs);
      continue;
    }
    lateMs.push(-waitMs);
    underWay.push(work(underWay.length, dueUs));
  }
  return { results: await Promise.all(underWay), lateMs };
}

/**
 * The next message of a child process, of those that have this field where one is named: it may be asked several things at a time.
 * @throws Error where it takes longer than `patienceMs`
 */
export async function nextMessage<T>(
  child: NodeJS.EventEmitter,
  { having, patienceMs = 60_000 }: { having?: keyof T & string; patienceMs?: number } = {},
): Promise<T> {
  for await (const [message] of on(child, 'message', { signal: AbortSignal.timeout(patienceMs) })) {
    if (having === undefined || having in message) return message;
  }
  throw new Error('no more messages will come');
}
