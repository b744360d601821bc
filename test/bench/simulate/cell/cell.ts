import { createIds, NODES } from '../../../../domain/ids.ts';
import { SHARDS, shardOf, shardsOf } from '../../../../infra/queue/shards.ts';
import { createRandom } from '../../../support/random.ts';
import { MEASURED, type ProcessName } from '../measured.ts';
import { createTimeline } from '../timeline.ts';
import { createPicker, zipfShares } from '../zipf.ts';
import { createBroker } from './broker.ts';
import { createDelivery } from './delivery.ts';
import { createGateway } from './gateway.ts';
import { publishLoad } from './load.ts';
import { createLogReaders } from './log-readers.ts';
import { createMachines } from './machines.ts';
import { createOutside } from './outside.ts';
import type { CellSetting, Channel, Delivery, Event } from './setting.ts';
import { createStore } from './store.ts';

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
  const { costs, nodes, durationMs, load, seed } = setting;
  const { turnMs, eventMs } = costs;
  const timeline = createTimeline();
  const machines = createMachines(timeline, setting);
  const channels = makeChannels(setting);
  const store = createStore(machines, turnMs.store, eventMs.store, MEASURED.flushMs);
  const broker = createBroker(machines, turnMs.broker, eventMs.broker, SHARDS);
  const outside = createOutside({
    ...{ machines, answerMs: setting.answerMs },
    // Both are HTTP in Node, as the gateway is.
    ...{ turnMs: turnMs.gateway, taskMs: MEASURED.barePostMs },
  });
  const latenciesMs: number[] = [];
  const counts = { published: 0, accepted: 0, delivered: 0, retrying: 0, posts: 0, lastMs: 0 };

  function post(delivery: Delivery, answered: (answer: { isThere: boolean; isOk: boolean }) => void) {
    delivery.posts += 1;
    counts.posts += 1;
    outside.receive(delivery, () => received(delivery), answered);
  }

  function received({ event, webhook }: Delivery) {
    if (webhook.kind !== 'healthy') return;
    latenciesMs.push(timeline.nowMs() - event.dueMs);
    counts.lastMs = timeline.nowMs();
  }

  function recorded({ posts }: Delivery, isOk: boolean) {
    if (posts !== 1) throw new Error(`a delivery was POSTed ${posts} times`);
    counts[isOk ? 'delivered' : 'retrying'] += 1;
  }

  const shares = shardsOfNodes(nodes);
  const each = Array.from({ length: nodes }, (_, node) => {
    const leads = node === 0;
    const readers = createLogReaders(store, {
      ...{
        machines,
        node,
        relayApart: setting.relayApart,
        turnMs: turnMs.projectorRelay,
        eventMs: eventMs.projectorRelay,
      },
      publish: leads ? relay : undefined,
    });
    const gateway = createGateway(machines, node, turnMs.gateway, eventMs.gateway, store);
    const delivery = createDelivery({
      ...{ machines, node, store, broker, readers, post, recorded, shards: shares[node] ?? [] },
      ...{ turnMs: turnMs.delivery, eventMs: eventMs.delivery },
    });
    return { readers, gateway, delivery };
  });
  function relay({ position, published: event }: { position: number; published: Event }, acked: () => void) {
    let left = event.channel.webhooks.length;
    for (const webhook of event.channel.webhooks) {
      broker.publish({ event, webhook, position, posts: 0 }, () => {
        left -= 1;
        if (left === 0) acked();
      });
    }
    if (left === 0) acked();
  }

  const random = createRandom(seed, 'load');
  const pick = createPicker(zipfShares(channels.length, setting.exponent), random);
  publishLoad({
    ...{ timeline, load, durationMs, random },
    publish(dueMs, accepted) {
      counts.published += 1;
      const channel = channels[load.kind === 'random' ? pick() : counts.published % channels.length] as Channel;
      const gateway = each[channel.index % nodes]?.gateway;
      outside.send(() =>
        gateway?.publish({ channel, dueMs }, () => {
          counts.accepted += 1;
          outside.take(accepted);
        }),
      );
    },
  });
  timeline.run();

  const used = {
    gateway: each.map(({ gateway }) => gateway.used()),
    store: [store.used()],
    projectorRelay: each.map(({ readers }) => readers.used()),
    broker: [broker.used()],
    delivery: each.map(({ delivery }) => delivery.used()),
  };
  const all = [...Object.values(used).flat(2), ...outside.used()];
  const { lastMs, ...counted } = counts;
  return {
    ...counted,
    kept: broker.kept(),
    returns: each.reduce((sum, { delivery }) => sum + delivery.returns(), 0),
    ...{ tookMs: lastMs, settledMs: timeline.nowMs(), latenciesMs },
    usage: Object.fromEntries(
      Object.entries(used).map(([name, ofEach]) => [name, busiest(ofEach, counts.published)]),
    ) as Record<ProcessName, Usage>,
    cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / counts.published,
    busyMs: machines.cores.reduce((sum, cores) => sum + cores.busyMs(), 0),
  };
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
