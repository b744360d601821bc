import { setTimeout as delay } from 'node:timers/promises';
import { createRandom, type Random } from '../support/random.ts';
import type { Client } from './client.ts';
import type { History } from './history.ts';
import type { Channel } from './scene.ts';

/** Requests under way at a time: beyond it a publisher waits, as one with a connection pool would. */
const AT_A_TIME = 48;
const PER_SECOND = 100;
const KEYED = 0.3;
const LARGE = 0.02;
const LARGE_BYTES = 30_000;
/** Between two tries of the same request, in ms. */
const AGAIN_MS = 250;

interface Publication {
  readonly ref: string;
  readonly channel: Channel;
  readonly key: string | undefined;
  readonly json: object;
}

export type Load = ReturnType<typeof startLoad>;

/** Publishes at an even rate until it is stopped. What has a key is repeated until it is answered for good; what has none is sent once. */
export function startLoad(seed: number, client: Client, channels: readonly Channel[], { publishes }: History) {
  const random = createRandom(seed, 'load');
  const underWay = new Set<Promise<void>>();
  let isStopped = false;
  let isGivingUp = false;

  async function send(publication: Publication): Promise<void> {
    for (let nth = 1; ; nth++) {
      const status = await sendOnce(publication, nth);
      if (publication.key === undefined || isFinal(status) || isGivingUp) return;
      await delay(AGAIN_MS);
    }
  }

  async function sendOnce({ ref, channel, key, json }: Publication, nth: number): Promise<number> {
    const path = `/v1/channels/${channel.id}/events`;
    const answer = await client.call('POST', path, { key: channel.publisher_key, json, idempotencyKey: key });
    const { status, sentMs, endedMs, body } = answer;
    const id = status === 201 ? (body.id as number) : undefined;
    publishes.push({ ref, channelId: channel.id, key, nth, sentMs, endedMs, status, id });
    return status;
  }

  async function run() {
    const beganMs = performance.now();
    for (let n = 0; !isStopped; n++) {
      await delay(Math.max(0, beganMs + (n * 1_000) / PER_SECOND - performance.now()));
      const publication = decide(random, channels, n);
      while (underWay.size >= AT_A_TIME) await Promise.race(underWay);
      const sending = send(publication).finally(() => underWay.delete(sending));
      underWay.add(sending);
    }
  }
  const running = run();

  return {
    accepted: (): number => publishes.reduce((sum, { status }) => sum + Number(status === 201), 0),
    /** Resolves when every request is answered for good; after `patienceMs` those that are not are given up. */
    async stop(patienceMs: number): Promise<void> {
      isStopped = true;
      const timer = setTimeout(() => {
        isGivingUp = true;
      }, patienceMs);
      await running;
      await Promise.all(underWay);
      clearTimeout(timer);
    },
  };
}

/** Everything but "not now". */
function isFinal(status: number): boolean {
  return status !== 0 && status < 500;
}

function decide(random: Random, channels: readonly Channel[], n: number): Publication {
  const shares = Object.fromEntries(channels.map(({ share }, index) => [index, share]));
  const channel = channels[Number(random.weighted(shares))] as Channel;
  const ref = `r${n}`;
  const data = random.chance(LARGE) ? { text: 'x'.repeat(LARGE_BYTES) } : { n };
  const key = random.chance(KEYED) ? `key-${n}` : undefined;
  return { ref, channel, key, json: { event_name: 'chaos.happened', ext_ref_code: ref, data } };
}
