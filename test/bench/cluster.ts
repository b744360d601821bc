import { fork } from 'node:child_process';
import { type Cluster, type Node, startCluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';
import { type Figures, spread } from './figures.ts';
import { type Api, type Channel, connectApi, makeChannel, nextMessage, publishCount } from './load.ts';
import type { BenchOptions } from './phase.ts';
import { cpuMs } from './processes.ts';
import type { Order } from './receiver.ts';

const WEBHOOKS = 64;
const WIDTH = 16;
/** Events of each burst, one delivery a webhook each; and how often each measurement is repeated after one that does not count. */
const BURST = { events: 200, quickEvents: 100, repeats: 3 } as const;
const PATIENCE_MS = 300_000;

/**
 * One node and two over a NATS cluster of three and one event store: deliveries a second, who makes them and what CPU they take; and how long it takes until
 * what another node did is done again after it was killed.
 */
export async function cluster({ quick }: BenchOptions): Promise<Figures> {
  const receiver = fork(new URL('./receiver.ts', import.meta.url));
  const { port } = await nextMessage<{ port: number }>(receiver);
  const tell = (order: Order) => receiver.send(order);
  const nodes = await startCluster({ nodes: 1, env: { LOG_LEVEL: 'debug' } });
  const bench: Bench = {
    ...{ nodes, events: quick ? BURST.quickEvents : BURST.events, repeats: quick ? 1 : BURST.repeats, round: 0 },
    async received(round, expect) {
      const message = nextMessage(receiver, { patienceMs: PATIENCE_MS });
      tell({ expect, round });
      await message;
    },
  };
  try {
    const first = nodes.nodes[0] as Node;
    const api = connectApi(first.url(), WIDTH);
    const urls = Array.from({ length: WEBHOOKS }, (_, n) => `http://127.0.0.1:${port}/${n}`);
    const channel = await makeChannel(api, urls);
    console.log('one node ...');
    const one = await bursts(bench, channel, [api]);
    console.log('two nodes ...');
    const second = await nodes.startNode();
    await waitFor('its read models', () => knows(second, channel));
    const both = [api, connectApi(second.url(), WIDTH)];
    const two = await bursts(bench, channel, both);
    console.log('kills ...');
    const killed = await kills(bench, channel);
    for (const { close } of both) await close();
    return { ...named('1 node', one), ...named('2 nodes', two), ...killed };
  } finally {
    await nodes.stop();
    receiver.disconnect();
  }
}

interface Bench {
  readonly nodes: Cluster;
  readonly events: number;
  readonly repeats: number;
  round: number;
  /** Resolves once so many deliveries of a round have arrived. */
  readonly received: (round: number, expect: number) => Promise<void>;
}

const named = (name: string, figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([figure, value]) => [`${name}: ${figure}`, value]));

async function knows(node: Node, { id, publisher_key: key }: Channel): Promise<boolean> {
  return (await node.api().call('GET', `/v1/channels/${id}`, { key })).status === 200;
}

/** Publishes as fast as is accepted, through all nodes alike, and waits until all is delivered; several times. */
async function bursts(bench: Bench, channel: Channel, apis: readonly Api[]): Promise<Figures> {
  await burst(bench, channel, apis);
  const seen: Record<string, number>[] = [];
  for (let n = 0; n < bench.repeats; n++) seen.push(await burst(bench, channel, apis));
  const names = Object.keys(seen[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, spread(seen.map((figures) => figures[name] ?? Number.NaN))]));
}

async function burst(bench: Bench, channel: Channel, apis: readonly Api[]): Promise<Record<string, number>> {
  const { nodes, nats, store } = bench.nodes;
  const processes = { nodes, 'nats-servers': nats.members, 'event store': [store] };
  const used = () => Object.values(processes).map((group) => group.reduce((sum, one) => sum + cpuMs(one.pid()), 0));
  bench.round += 1;
  const before = { usedMs: used(), made: nodes.map(attempts), ms: performance.now() };
  const count = Math.ceil(bench.events / apis.length);
  await Promise.all(apis.map((api) => publishCount(api, [channel], { round: bench.round, width: WIDTH, count })));
  const deliveries = count * apis.length * WEBHOOKS;
  await bench.received(bench.round, deliveries);
  const tookMs = performance.now() - before.ms;
  const usedMs = used().map((ms, index) => (ms - (before.usedMs[index] ?? 0)) / deliveries);
  await waitFor('all that the nodes say', () => made(nodes, before.made) >= deliveries);
  const shares = nodes.map((node, index) => (attempts(node) - (before.made[index] ?? 0)) / deliveries);
  return {
    deliveries_per_s: (deliveries / tookMs) * 1_000,
    made_for_each: shares.reduce((sum, share) => sum + share, 0),
    ...Object.fromEntries(shares.map((share, index) => [`share of node ${index + 1}`, share])),
    ...Object.fromEntries(
      Object.keys(processes).map((name, index) => [`cpu_ms_per_delivery ${name}`, usedMs[index] ?? 0]),
    ),
  };
}

/** How many attempts a node has made so far. */
const attempts = (node: Node): number => node.output().split('"msg":"attempted"').length - 1;

const made = (nodes: readonly Node[], before: readonly number[]): number =>
  nodes.reduce((sum, node, index) => sum + attempts(node) - (before[index] ?? 0), 0);

/** What it takes from the kill of a node until another has its place: until it leads; and until an event that is published then has been delivered to all webhooks. */
async function kills(bench: Bench, channel: Channel): Promise<Figures> {
  const { nodes, leader } = bench.nodes;
  const leads: number[] = [];
  const afterLeader: number[] = [];
  const afterOther: number[] = [];
  for (let n = 0; n < bench.repeats; n++) {
    const leading = leader() as Node;
    const other = nodes.find((node) => node !== leading) as Node;
    leads.push(await timeOf(leading, () => waitFor('another leader', () => leader() === other)));
    await leading.start();
    // It has its shards again.
    await delivered(bench, channel, other);
    afterLeader.push(await timeOf(leader() as Node, () => delivered(bench, channel, leading)));
    await other.start();
    await delivered(bench, channel, leading);
    afterOther.push(await timeOf(other, () => delivered(bench, channel, leading)));
    await other.start();
  }
  return {
    'leader killed: another leads after, ms': spread(leads),
    'leader killed: delivered after, ms': spread(afterLeader),
    'other node killed: delivered after, ms': spread(afterOther),
  };
}

async function timeOf(killed: Node, until: () => Promise<unknown>): Promise<number> {
  const sinceMs = performance.now();
  await killed.kill9();
  await until();
  return performance.now() - sinceMs;
}

/** Resolves once an event that is published now has been delivered everywhere. */
async function delivered(bench: Bench, channel: Channel, through: Node): Promise<void> {
  bench.round += 1;
  const api = connectApi(through.url(), 1);
  await publishCount(api, [channel], { round: bench.round, width: 1, count: 1 });
  await bench.received(bench.round, WEBHOOKS);
  await api.close();
}
