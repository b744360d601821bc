import { createEventLoop } from '../event-loop.ts';
import type { Machines } from './machines.ts';
import type { Delivery } from './setting.ts';

/** What a kept message gives the broker to do: to take and hand it out; to be told that it is done with. A request for more costs as much as one of these. */
const PARTS = 2;

/** A consumer: the messages of a shard, and how many of them its worker has asked for. */
interface Consumer {
  readonly messages: Delivery[];
  asked: number;
  receive: (delivery: Delivery) => void;
}

export type Broker = ReturnType<typeof createBroker>;

/**
 * The leader of the queue's stream: keeps a message, hands it to whoever asks for those of its shard, lets go of it. On a machine of its own it has a thread for each core, which
 * shards are divided among.
 */
export function createBroker(machines: Machines, turnMs: number, eventMs: number, shards: number) {
  const { timeline, brokerCores, isSpread, hopMs, quorumMs, replicating } = machines;
  const threads = isSpread ? brokerCores.count : 1;
  const loops = Array.from({ length: threads }, () => createEventLoop(timeline, brokerCores, { turnMs }));
  const partMs = (eventMs * replicating) / PARTS;
  const consumers = Array.from({ length: shards }, (): Consumer => ({ messages: [], asked: 0, receive: () => {} }));
  let kept = 0;

  function of(shard: number): Consumer {
    const consumer = consumers[shard];
    if (!consumer) throw new RangeError(`there is no shard ${shard}`);
    return consumer;
  }

  function handOut(consumer: Consumer) {
    while (consumer.asked > 0) {
      const delivery = consumer.messages.shift();
      if (!delivery) return;
      consumer.asked -= 1;
      timeline.after(hopMs, () => consumer.receive(delivery));
    }
  }

  function put(delivery: Delivery) {
    const consumer = of(delivery.webhook.shard);
    consumer.messages.push(delivery);
    handOut(consumer);
  }

  const work = (shard: number, effect: () => void) => loops[shard % threads]?.post(partMs, effect);
  /** What a client sends. */
  const take = (shard: number, effect: () => void) => timeline.after(hopMs, () => work(shard, effect));

  return {
    /** @param acked once it is kept */
    publish: (delivery: Delivery, acked: () => void): void =>
      take(delivery.webhook.shard, () => {
        kept += 1;
        timeline.after(quorumMs, () => {
          timeline.after(hopMs, acked);
          put(delivery);
        });
      }),
    /** Keeps what waits for an hour, in its slot. */
    postpone: ({ webhook }: Delivery, acked: () => void): void =>
      take(webhook.shard, () => timeline.after(quorumMs + hopMs, acked)),
    /** Whoever reads a shard from now on, which it has asked for so many messages of. */
    read(shard: number, count: number, receive: Consumer['receive']): void {
      Object.assign(of(shard), { asked: count, receive });
    },
    ask: (shard: number, count: number): void =>
      take(shard, () => {
        of(shard).asked += count;
        handOut(of(shard));
      }),
    /** A message is done with. */
    ack: ({ webhook }: Delivery): void =>
      take(webhook.shard, () => {
        kept -= 1;
      }),
    /** A message comes again after so many ms. */
    nak: (delivery: Delivery, againInMs: number): void =>
      take(delivery.webhook.shard, () =>
        timeline.after(againInMs, () => work(delivery.webhook.shard, () => put(delivery))),
      ),
    kept: () => kept,
    used: () => loops.map((loop) => loop.used()),
  };
}
