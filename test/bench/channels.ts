import { stream } from '../../domain/facts.ts';
import { connectEventStore, type EventStore, NO_STREAM_YET } from '../../infra/event-store/client.ts';
import { channelCreated, newFact, webhookCreated } from '../support/sample.ts';
import { type BenchStack, startBenchStack } from './bench-stack.ts';
import { deliveryRate } from './delivery-rate.ts';
import { type Figures, spread } from './figures.ts';
import type { Channel } from './load.ts';

const ROUNDS = 3;
const WIDTH = 64;
/** Appends under way at a time. */
const APPENDS = 500;
/** May publish to all channels: nobody has been told the keys of those that were written into the log. */
const ADMIN_KEY = 'the key of a bench that measures';

interface Kind {
  readonly name: string;
  readonly channels: readonly Channel[];
  readonly webhooksEach: number;
}

/** Deliveries a second where all events go to one channel, to many, or to many that have ten webhooks each. All of them are there all the time. */
export async function channels({ quick }: { quick: boolean }): Promise<Figures> {
  const durationMs = quick ? 2_000 : 15_000;
  const bench = await startBenchStack(WIDTH, { env: { ADMIN_KEY } });
  try {
    const store = connectEventStore(await bench.eventstoreUrl());
    const kinds: Kind[] = [];
    for (const [channels, webhooksEach] of quick ? SHAPES_QUICK : SHAPES) {
      console.log(`making ${channels} channels, ${webhooksEach} webhooks each ...`);
      const name = `channels_${channels}x${webhooksEach}`;
      kinds.push({
        name,
        webhooksEach,
        channels: await make(bench, store, { kind: kinds.length, channels, webhooksEach }),
      });
    }
    await store.close();
    await bench.whenIdle();
    const rates = new Map<string, number[]>(kinds.map(({ name }) => [name, []]));
    for (let i = 0; i <= ROUNDS; i++) {
      for (const kind of kinds) {
        const { channels, webhooksEach } = kind;
        const { perS } = await deliveryRate(bench, channels, { width: WIDTH, durationMs, webhooksEach });
        // The first is to get used to it.
        if (i > 0) rates.get(kind.name)?.push(perS);
      }
    }
    const figures = [...rates].map(([name, perS]) => [`${name} deliveries_per_s`, spread(perS)] as const);
    return { ...Object.fromEntries(figures), tree_mib: await bench.treeMiB() };
  } finally {
    await bench.stop();
  }
}

/** Channels, and webhooks of each. */
const SHAPES = [
  [1, 1],
  [1_000, 1],
  [10_000, 10],
] as const;
const SHAPES_QUICK = [
  [1, 1],
  [100, 1],
  [500, 10],
] as const;

async function make(
  { webhookUrl }: BenchStack,
  store: EventStore,
  { kind, channels, webhooksEach }: { kind: number; channels: number; webhooksEach: number },
): Promise<Channel[]> {
  // Far below the ids that a gateway makes today.
  const firstId = 1 + kind * 1_000_000;
  const ids = Array.from({ length: channels }, (_, i) => firstId + i * 50);
  const appends = ids.flatMap((id) => [
    () => store.append(stream.channel(id), [newFact(withStackSecret(channelCreated({ id })), id)], NO_STREAM_YET),
    ...Array.from({ length: webhooksEach }, (_, i) => id + 1 + i).map((webhookId) => {
      const fact = webhookCreated({ id: webhookId, channel_id: id, webhook_url: webhookUrl() });
      return () => store.append(stream.webhook(webhookId), [newFact(withStackSecret(fact), webhookId)], NO_STREAM_YET);
    }),
  ]);
  for (let at = 0; at < appends.length; at += APPENDS) {
    await Promise.all(appends.slice(at, at + APPENDS).map((append) => append()));
  }
  return ids.map((id) => ({ id, publisher_key: ADMIN_KEY }));
}

/** As of before master secrets had names: their keys are made with the only one that the stack has. */
function withStackSecret<F extends { readonly data: object }>(fact: F): F {
  return { ...fact, data: { ...fact.data, made_with: undefined } };
}
