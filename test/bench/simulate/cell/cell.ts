import { createIds, NODES } from '../../../../domain/ids.ts';
import { SHARDS, shardOf, shardsOf } from '../../../../infra/queue/shards.ts';
import { createRandom } from '../../../support/random.ts';
import { MEASURED, type ProcessName } from '../measured.ts';
import { createTimeline, type Timeline } from '../timeline.ts';
import { createPicker, zipfShares } from '../zipf.ts';
import { type Broker, createBroker } from './broker.ts';
import { createDelivery, type DeliveryOptions } from './delivery.ts';
import { createGateway } from './gateway.ts';
import { publishLoad } from './load.ts';
import { createLogReaders, type LogReadersOptions } from './log-readers.ts';
import { createMachines } from './machines.ts';
import { createOutside } from './outside.ts';
import type { CellSetting, Channel } from './setting.ts';
import { createStore } from './store.ts';
import { createTally } from './tally.ts';

/** Time between the ids of two webhooks, in ms: made by hand, not in a burst. */
const MADE_EVERY_MS = 1_000;
/** What a process has used, per published event: CPU in ms, and turns of its loop. */
export interface Usage {
  readonly cpuMs: number;
  readonly turns: number;
}

export interface Outcome {
  readonly published: number;
  readonly accepted: number;
  /** Deliveries by what came of them; each counts once. */
  readonly delivered: number;
  readonly retrying: number;
  /** POSTs made, of whatever outcome; and messages that are still on the queue at the end. */
  readonly posts: number;
  readonly kept: number;
  /** How often a message went back because its webhook had no room. */
  readonly returns: number;
  /** From the first publication to the last delivery, in ms. */
  readonly tookMs: number;
  /** Until nothing was left to do. */
  readonly settledMs: number;
  /** From when an event was due until its receiver had it: healthy webhooks, in ms. */
  readonly latenciesMs: readonly number[];
  /** Of the busiest of each kind, where there are several nodes. */
  readonly usage: Readonly<Record<ProcessName, Usage>>;
  /** CPU of all processes together, an event, in ms; and what all cores say that they gave, in ms. */
  readonly cpuMs: number;
  readonly busyMs: number;
}

/** One cell under one load, from the first publication until nothing is left to do. The same setting always has the same outcome. */
export function simulateCell(setting: CellSetting): Outcome {
  const timeline = createTimeline();
  const tally = createTally(timeline);
  const cell = build(setting, timeline, tally);
  publish(setting, timeline, tally, cell);
  timeline.run();
  const { nodes, store, broker, outside, machines } = cell;
  const ofBench = outside.used();
  const used = {
    gateway: nodes.map(({ gateway }) => gateway.used()),
    store: [store.used()],
    projectorRelay: nodes.map(({ readers }) => readers.used()),
    broker: [broker.used()],
    delivery: nodes.map(({ delivery }) => delivery.used()),
    publisher: [ofBench.publisher],
    receiver: [ofBench.receiver],
  };
  const all = Object.values(used).flat(2);
  const { counts, latenciesMs } = tally;
  const usage = Object.entries(used).map(([name, ofEach]) => [name, busiest(ofEach, counts.published)]);
  return {
    ...{ ...counts, latenciesMs, kept: broker.kept(), settledMs: timeline.nowMs() },
    returns: nodes.reduce((sum, { delivery }) => sum + delivery.returns(), 0),
    usage: Object.fromEntries(usage) as Record<ProcessName, Usage>,
    cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / counts.published,
    busyMs: machines.cores.reduce((sum, cores) => sum + cores.busyMs(), 0),
  };
}

type Tally = ReturnType<typeof createTally>;
type Cell = ReturnType<typeof build>;

function build(setting: CellSetting, timeline: Timeline, tally: Tally) {
  const { relayApart, answerMs } = setting;
  const { turnMs, eventMs } = setting.costs;
  const machines = createMachines(timeline, setting);
  const store = createStore(machines, turnMs.store, eventMs.store, MEASURED.flushMs);
  const broker = createBroker(machines, turnMs.broker, eventMs.broker, SHARDS);
  const outside = createOutside({ machines, costs: setting.costs, answerMs });
  const post: DeliveryOptions['post'] = (delivery, answered) => {
    tally.posted(delivery);
    outside.receive(delivery, () => tally.received(delivery), answered);
  };
  const ofReaders = { turnMs: turnMs.projectorRelay, eventMs: eventMs.projectorRelay, relayApart };
  const ofDelivery = { turnMs: turnMs.delivery, eventMs: eventMs.delivery, store, broker, post };
  const nodes = shardsOfNodes(setting.nodes).map((shards, node) => {
    // The first one's relay leads.
    const queue = node === 0 ? createRelay(broker) : undefined;
    const readers = createLogReaders(store, { ...ofReaders, machines, node, publish: queue });
    const gateway = createGateway(machines, node, turnMs.gateway, eventMs.gateway, store);
    const delivery = createDelivery({ ...ofDelivery, machines, node, shards, readers, recorded: tally.recorded });
    return { readers, gateway, delivery };
  });
  return { machines, store, broker, outside, nodes };
}

/** Puts a message on the queue for each webhook of an event. */
const createRelay =
  (broker: Broker): NonNullable<LogReadersOptions['publish']> =>
  ({ position, published: event }, acked) => {
    const { webhooks } = event.channel;
    let left = webhooks.length;
    if (left === 0) acked();
    for (const webhook of webhooks) {
      broker.publish({ event, webhook, position, posts: 0 }, () => {
        left -= 1;
        if (left === 0) acked();
      });
    }
  };

/** Sends events to channels, by their popularity or one after the other; each channel's go through one gateway. */
function publish(setting: CellSetting, timeline: Timeline, { counts }: Tally, { nodes, outside }: Cell): void {
  const { load, durationMs, seed, exponent } = setting;
  const channels = makeChannels(setting);
  const random = createRandom(seed, 'load');
  const pick = createPicker(zipfShares(channels.length, exponent), random);
  publishLoad({
    ...{ timeline, load, durationMs, random },
    publish(dueMs, accepted) {
      counts.published += 1;
      const channel = channels[load.kind === 'random' ? pick() : counts.published % channels.length] as Channel;
      const { gateway } = nodes[channel.index % nodes.length] as Cell['nodes'][number];
      outside.send(() =>
        gateway.publish({ channel, dueMs }, () => {
          counts.accepted += 1;
          outside.take(accepted);
        }),
      );
    },
  });
}

function busiest(ofEach: readonly (readonly Usage[])[], events: number): Usage {
  const sums = ofEach.map((loops) => ({
    cpuMs: loops.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / events,
    turns: loops.reduce((sum, { turns }) => sum + turns, 0) / events,
  }));
  return sums.reduce((most, usage) => (usage.cpuMs > most.cpuMs ? usage : most));
}

/** Channels of webhooks whose ids, and so whose shards, are what the product makes them. */
function makeChannels({ channels, webhooksEach, failing, hanging }: CellSetting): Channel[] {
  let nowMs = Date.UTC(2026, 0, 1);
  const nextId = createIds(0, () => (nowMs += MADE_EVERY_MS));
  return Array.from({ length: channels }, (_, index) => ({
    index,
    webhooks: Array.from({ length: webhooksEach }, () => {
      const id = nextId();
      const isAmong = (share: number) => isChosen(index, share);
      const kind = isAmong(failing) ? 'failing' : isChosen(index + 1, hanging) ? 'hanging' : 'healthy';
      return { id, shard: shardOf(id), kind };
    }),
  }));
}

/** Whether this is one of a share of all, spread evenly over the popular and the others, and not the most popular of them. */
const isChosen = (index: number, share: number): boolean =>
  Math.floor((index + 0.5) * share + 0.5) > Math.floor((index - 0.5) * share + 0.5);

/** The shards of each node, by the rule of the product; nodes beyond the shards deliver nothing. @throws RangeError where there are more than node numbers */
export function shardsOfNodes(nodes: number): number[][] {
  if (nodes > NODES) throw new RangeError(`there are ${NODES} node numbers`);
  const workers = Array.from({ length: Math.min(nodes, SHARDS) }, (_, node) => `node-${node}`);
  return Array.from({ length: nodes }, (_, node) => [...shardsOf(workers[node] ?? '', workers)]);
}
