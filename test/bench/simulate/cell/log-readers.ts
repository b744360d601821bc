import { createEventLoop } from '../event-loop.ts';
import { MEASURED, PARTS } from '../measured.ts';
import type { Machines } from './machines.ts';
import type { Event } from './setting.ts';
import type { Fact, Store } from './store.ts';

/** The most facts that are taken at a time; see `infra/event-store/follow.ts`. */
const BATCH = 512;
export interface LogReadersOptions {
  readonly machines: Machines;
  readonly node: number;
  readonly turnMs: number;
  readonly eventMs: number;
  /** Whether the relay has a process of its own. */
  readonly relayApart: boolean;
  /** Puts an event's messages on the queue and says when all are kept; absent: this node's relay does not lead. */
  readonly publish: ((fact: Fact & { published: Event }, acked: () => void) => void) | undefined;
}

export type LogReaders = ReturnType<typeof createLogReaders>;

/**
 * Projector and relay of a node, one process that follows the log once for both. The projector commits once a turn; the relay publishes what it has read, and goes on when all of
 * that is kept.
 */
export function createLogReaders(store: Store, options: LogReadersOptions) {
  const { machines, node, turnMs, eventMs, relayApart, publish } = options;
  const cores = machines.coresOf(node);
  const scale = eventMs / MEASURED.fullLoadMs.projectorRelay;
  let folded = -1;
  let committed = -1;
  const loop = createEventLoop(machines.timeline, cores, {
    turnMs,
    afterTurn() {
      committed = folded;
      return undefined;
    },
  });
  /** What the relay itself takes to have a publication. */
  const readMs = relayApart ? PARTS.readEventMs : 0;
  const relayLoop = relayApart ? createEventLoop(machines.timeline, cores, { turnMs }) : loop;
  let unread: Fact[] = [];
  let isRelaying = false;

  function fold(facts: readonly Fact[]) {
    for (const { position, published } of facts) {
      loop.post(scale * foldMs(published), () => {
        folded = position;
      });
    }
  }

  function relayPublished(facts: readonly Fact[]) {
    unread.push(...facts.filter(({ published }) => published));
    if (!isRelaying) relay();
  }

  if (relayApart) {
    store.follow(false, fold);
    store.follow(true, relayPublished);
  } else {
    store.follow(false, (facts) => {
      fold(facts);
      relayPublished(facts);
    });
  }

  function relay() {
    const batch = unread.slice(0, BATCH);
    unread = unread.slice(BATCH);
    isRelaying = batch.length > 0;
    let left = batch.length;
    const done = () => {
      left -= 1;
      if (left === 0) relay();
    };
    for (const fact of batch) {
      if (!publish) relayLoop.post(scale * readMs, done);
      else readAndPublish(fact as Fact & { published: Event }, publish, done);
    }
  }

  function readAndPublish(fact: Fact & { published: Event }, put: NonNullable<typeof publish>, done: () => void) {
    const messages = fact.published.channel.webhooks.length;
    const cpuMs = scale * (readMs + messages * PARTS.publishMs);
    relayLoop.post(cpuMs, () => relayLoop.atEndOfTurn(() => put(fact, () => relayLoop.post(0, done))));
  }

  return {
    /** Up to where the read models are. */
    position: () => committed,
    used: () => [loop, ...(relayApart ? [relayLoop] : [])].map((each) => each.used()),
  };
}

/** Of what a delivery costs here one half is due when it is published, the other with its attempt. */
function foldMs(published: Event | undefined): number {
  if (!published) return PARTS.foldDeliveryMs / 2;
  return PARTS.foldEventMs + (published.channel.webhooks.length * PARTS.foldDeliveryMs) / 2;
}
