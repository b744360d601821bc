import { FACT_VERSION, type NewFact, stream } from '../../domain/facts.ts';
import { tell } from '../../domain/happening.ts';
import { factId } from '../../domain/ids.ts';
import type { EventStore } from '../../infra/event-store/client.ts';
import type { Service } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/log.ts';
import { createLoop } from '../../infra/loop.ts';
import { pause } from '../../infra/pause.ts';
import type { Untold } from '../../projections/happenings.ts';
import type { Progress } from '../../projections/progress.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import type { Relay } from './relay.ts';

/** How many are told before others get their turn, and how often it is looked for more, in ms. */
const PAGE = 100;
const LOOK_MS = 200;
/** How long to wait at a time for the projector to catch up, in ms. */
const CATCH_UP_MS = 10_000;

export interface TellerDeps {
  readonly store: Pick<EventStore, 'append' | 'lastPosition'>;
  readonly readModels: Pick<ReadModels, 'happenings'>;
  readonly progress: Pick<Progress, 'whenProcessed'>;
  readonly relay: Pick<Relay, 'whenLeading'>;
  readonly log: Logger;
  readonly nowMs: () => number;
}

/**
 * Tells operational webhooks what happened to the others of their channel: publishes an event for each happening that the read models know and the log has no event for. Its id is decided there, so what two tell,
 * or one tells twice because it died in between, is one event. Works only where the relay leads.
 */
export function createTeller({ store, readModels, progress, relay, log, nowMs }: TellerDeps): Service {
  async function publish({ event_id, channel_id, cause, happening }: Untold) {
    const fact = tell(event_id, channel_id, happening, nowMs());
    const metadata = { $correlationId: String(event_id), $causationId: cause, version: FACT_VERSION, by: 'system' };
    const told = { ...fact, id: factId('EventPublished', event_id), metadata } as NewFact;
    await store.append(stream.events(channel_id), [told], 'any');
    log.info({ channel_id, event_id, event_name: happening.event_name, ...idsIn(happening.data) }, 'told');
  }

  return createLoop('teller', log, async (signal, working) => {
    const term = await relay.whenLeading(signal);
    // Read models that are behind, or made anew, still show what was told long ago.
    while (!(await progress.whenProcessed(await store.lastPosition(), CATCH_UP_MS))) term.signal.throwIfAborted();
    let after = 0;
    while (!term.isOver()) {
      const page = readModels.happenings.untold(after, PAGE);
      for (const untold of page) {
        if (term.isOver()) return;
        await publish(untold);
        after = untold.event_id;
      }
      working();
      if (page.length < PAGE) await pause(LOOK_MS, term.signal);
    }
  });
}

/** The webhook that it is about. */
function idsIn({ webhook_id }: Untold['happening']['data']) {
  return { webhook_id };
}
