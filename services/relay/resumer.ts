import { setTimeout as delay } from 'node:timers/promises';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { pause } from '../../infra/pause.ts';
import type { Queue } from '../../infra/queue/client.ts';
import type { Progress } from '../../projections/progress.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import type { Relay } from './relay.ts';

/** How often it is looked for webhooks that were resumed, in ms. */
const LOOK_MS = 200;
/** Deliveries of one webhook that are enqueued at a time, and how many of those may be without an attempt before there are more. */
const PAGE = 100;
const OUTSTANDING = 200;
/** How many messages may wait for a worker before there are more: what is published now stands behind them. */
const UNTAKEN = 200;

export interface ResumerDeps {
  readonly queue: Queue;
  readonly readModels: ReadModels;
  readonly progress: Progress;
  readonly relay: Pick<Relay, 'whenLeading'>;
  readonly log: Logger;
  /** How often it is looked for webhooks that were resumed, in ms; absent: five times a second. */
  readonly lookMs?: number;
}

/** Up to where the deliveries of a webhook are on the queue, of those that a resumption has left. */
interface Reached {
  /** The latest time at which one of them was due, in ms since the epoch: those of a later resumption are due later. */
  readonly dueMs: number;
  /** The last event. */
  readonly eventId: number;
}

export type Resumer = ReturnType<typeof createResumer>;

/**
 * Puts the deliveries of webhooks that were resumed on the queue, which knows nothing of them: for each webhook no faster than they are attempted, all webhooks in turn.
 * Which these are stands in the read models until they are attempted. So whoever leads next begins with what is not attempted then, and nothing is lost with a process or a
 * queue; what is on the queue twice is attempted once. Works only where the relay leads.
 */
export function createResumer({ queue, readModels, progress, relay, log, lookMs = LOOK_MS }: ResumerDeps) {
  const { deliveries } = readModels;
  /** By webhook id. */
  let reached = new Map<number, Reached>();

  async function enqueue(publisher: Publisher, webhookId: number, signal: AbortSignal): Promise<number> {
    const { eventId: before, dueMs } = reached.get(webhookId) ?? { eventId: 0, dueMs: 0 };
    if (deliveries.countResumed(webhookId, 0, before) > OUTSTANDING - PAGE) return 0;
    while ((await queue.state()).untaken > UNTAKEN) await delay(LOOK_MS, undefined, { signal });
    const page = deliveries.resumed(webhookId, before, PAGE);
    // Whoever makes the attempt must know what these read models know.
    const known = progress.reached();
    for (const { event_id, webhook_id, due_ms, position } of page) {
      const message = { event_id, webhook_id, position: Math.max(position, known) };
      await publisher.add(message, `${event_id}-${webhook_id}-resumed-${due_ms}`);
    }
    await publisher.flush();
    const last = page.at(-1);
    if (last) reached.set(webhookId, { dueMs: Math.max(dueMs, last.due_ms), eventId: last.event_id });
    return page.length;
  }

  /** Forgets what is done with, or was paused again. */
  function keepOnly(webhooks: readonly number[]): void {
    const present = webhooks.flatMap((id): [number, Reached][] => {
      const of = reached.get(id);
      const [first] = deliveries.resumed(id, 0, 1);
      return of && first && first.due_ms <= of.dueMs ? [[id, of]] : [];
    });
    reached = new Map(present);
  }

  /** How many were enqueued. */
  async function goRound(publisher: Publisher, signal: AbortSignal): Promise<number> {
    const webhooks = [...deliveries.resumedWebhooks()];
    keepOnly(webhooks);
    let count = 0;
    for (const webhookId of webhooks) count += await enqueue(publisher, webhookId, signal);
    return count;
  }

  const service: Service = createLoop('resumer', log, async (signal, working) => {
    const term = await relay.whenLeading(signal);
    reached = new Map();
    const publisher = createPublisher(queue, log, term);
    while (!term.isOver()) {
      const count = await goRound(publisher, term.signal);
      working();
      if (count === 0) await pause(lookMs, term.signal);
      else log.debug({ count }, 'deliveries of resumed webhooks are on the queue');
    }
  });
  return {
    ...service,
    /** How many deliveries of resumed webhooks are not on the queue yet. */
    ahead(): number {
      const counts = [...deliveries.resumedWebhooks()].map((id) =>
        deliveries.countResumed(id, reached.get(id)?.eventId ?? 0),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}
