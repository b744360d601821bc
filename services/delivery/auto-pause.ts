import { FACT_VERSION, stream } from '../../domain/facts.ts';
import { factId } from '../../domain/ids.ts';
import { decideWebhook } from '../../domain/webhook.ts';
import type { EventStore } from '../../infra/event-store/client.ts';
import type { Logger } from '../../infra/log.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import type { WebhookView } from '../../projections/webhooks.ts';

export interface AutoPauseDeps {
  readonly store: Pick<EventStore, 'append'>;
  readonly readModels: Pick<ReadModels, 'health'>;
  /** How long a webhook may fail, in ms; undefined: for ever. */
  readonly afterMs: number | undefined;
  readonly log: Logger;
}

/** An attempt that failed, and has been recorded. */
export interface FailedAttempt {
  readonly event_id: number;
  /** When it began, in ms since the epoch. */
  readonly atMs: number;
}

export type AutoPause = ReturnType<typeof createAutoPause>;

/**
 * Pauses a webhook that has failed for too long. That is decided where an attempt has just failed: there is the evidence, and one worker makes all attempts of a webhook. The
 * fact is appended to the settings that the attempt was made with, under an id that follows from them, so it is there once whoever appends it, and never over somebody's change.
 */
export function createAutoPause({ store, readModels, afterMs, log }: AutoPauseDeps) {
  return async (webhook: WebhookView, { event_id, atMs }: FailedAttempt): Promise<void> => {
    const failingSince = afterMs === undefined ? null : readModels.health.failingSince(webhook.id);
    if (afterMs === undefined || failingSince === null) return;
    const { id, revision } = webhook;
    const [fact] = decideWebhook(webhook, { type: 'PauseFailing', failingSince, atMs, afterMs });
    if (!fact) return;
    const metadata = { $correlationId: String(id), $causationId: String(event_id), version: FACT_VERSION };
    try {
      const paused = {
        ...fact,
        id: factId('WebhookPaused', id, revision),
        metadata: { ...metadata, by: 'system' },
      } as const;
      await store.append(stream.webhook(id), [paused], revision);
      log.warn({ webhook_id: id, failing_since: failingSince }, 'this webhook has failed for too long: it is paused');
    } catch (error) {
      log.warn({ err: error, webhook_id: id }, 'a webhook could not be paused: left to the next attempt that fails');
    }
  };
}
