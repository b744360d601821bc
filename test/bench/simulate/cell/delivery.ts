import { createLanes } from '../../../../services/delivery/lanes.ts';
import { createEventLoop } from '../event-loop.ts';
import type { Broker } from './broker.ts';
import { createCoalescer } from './coalescer.ts';
import type { LogReaders } from './log-readers.ts';
import type { Machines } from './machines.ts';
import type { Delivery } from './setting.ts';
import type { Store } from './store.ts';

/** Deliveries in hand at a time, and messages of a shard that are fetched ahead of them; see `services/delivery/delivery.ts`. */
const IN_HAND = 2_048;
const AHEAD = 32;
/** The part of these that is left when more are asked for; see `infra/queue/pulls.ts`. */
const LEFT = 0.25;
/** How often it is looked how far the read models are, in ms; see `projections/progress.ts`. */
const LOOK_MS = 1;
/** What a delivery gives to do: to look up and POST, to take the answer, to acknowledge. */
const PARTS = 3;

export interface DeliveryOptions {
  readonly machines: Machines;
  readonly node: number;
  /** Those whose deliveries are made here. */
  readonly shards: readonly number[];
  readonly turnMs: number;
  readonly eventMs: number;
  readonly store: Store;
  readonly broker: Broker;
  readonly readers: LogReaders;
  /** Makes the POST; says whether there was an answer, and whether it was a 200. */
  readonly post: (delivery: Delivery, answered: (answer: { isThere: boolean; isOk: boolean }) => void) => void;
  /** Told of each delivery whose outcome is recorded. */
  readonly recorded: (delivery: Delivery, isOk: boolean) => void;
}

/** One worker: waits for the read models, keeps to each webhook's limit, POSTs, appends the outcome, acknowledges. Limits are those of the product itself. */
export function createDelivery(options: DeliveryOptions) {
  const { machines, node, shards, turnMs, eventMs, store, broker, readers, post, recorded } = options;
  const { timeline, coresOf } = machines;
  const loop = createEventLoop(timeline, coresOf(node), { turnMs });
  const lanes = createLanes(IN_HAND, timeline.nowMs);
  const partMs = eventMs / PARTS;
  /** Messages of each shard that are on their way here or were not taken yet. */
  const ahead = new Map(shards.map((shard) => [shard, AHEAD]));
  const fetched: Delivery[] = [];
  let inHand = 0;
  let returns = 0;
  let waiting: Delivery[] = [];
  let isLooking = false;

  const append = createCoalescer<{ delivery: Delivery; isOk: boolean }>((batch, appended) =>
    store.append(
      batch.map(() => undefined),
      () => {
        for (const { delivery, isOk } of batch) loop.post(partMs, () => settle(delivery, isOk));
        loop.post(0, appended);
      },
    ),
  );

  function settle(delivery: Delivery, isOk: boolean) {
    recorded(delivery, isOk);
    if (isOk) letGo(delivery);
    else loop.atEndOfTurn(() => broker.postpone(delivery, () => loop.post(0, () => letGo(delivery))));
  }

  function letGo(delivery: Delivery) {
    loop.atEndOfTurn(() => broker.ack(delivery));
    inHand -= 1;
    takeFetched();
  }

  function takeFetched() {
    while (inHand < IN_HAND) {
      const delivery = fetched.shift();
      if (!delivery) return;
      inHand += 1;
      askForMore(delivery.webhook.shard);
      handle(delivery);
    }
  }

  function askForMore(shard: number) {
    const left = (ahead.get(shard) ?? 0) - 1;
    const isEnough = left > Math.ceil(AHEAD * LEFT);
    ahead.set(shard, isEnough ? left : AHEAD);
    if (!isEnough) loop.atEndOfTurn(() => broker.ask(shard, AHEAD - left));
  }

  function handle(delivery: Delivery) {
    if (!hasTurn(delivery)) return;
    if (readers.position() >= delivery.position) {
      attempt(delivery);
      return;
    }
    waiting.push(delivery);
    if (!isLooking) lookSoon();
  }

  function lookSoon() {
    isLooking = true;
    timeline.after(LOOK_MS, () => loop.post(0, look));
  }

  function look() {
    const asked = waiting;
    waiting = [];
    for (const delivery of asked) {
      if (readers.position() < delivery.position) waiting.push(delivery);
      else if (hasTurn(delivery)) attempt(delivery);
    }
    isLooking = false;
    if (waiting.length > 0) lookSoon();
  }

  function hasTurn(delivery: Delivery): boolean {
    const waitMs = lanes.waitMs(delivery.webhook.id);
    if (waitMs === 0) return true;
    returns += 1;
    inHand -= 1;
    loop.atEndOfTurn(() => broker.nak(delivery, waitMs));
    return false;
  }

  function attempt(delivery: Delivery) {
    const leave = lanes.enter(delivery.webhook.id);
    const answered = ({ isThere, isOk }: { isThere: boolean; isOk: boolean }) =>
      loop.post(partMs, () => {
        leave(isThere);
        append(delivery.event.channel.index, { delivery, isOk });
      });
    loop.atEndOfTurn(() => post(delivery, answered));
  }

  for (const shard of shards) {
    broker.read(shard, AHEAD, (delivery) =>
      loop.post(partMs, () => {
        fetched.push(delivery);
        takeFetched();
      }),
    );
  }

  return {
    used: () => [loop.used()],
    /** How often a message went back to the queue because its webhook had no room. */
    returns: () => returns,
  };
}
