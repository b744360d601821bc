import { once } from 'node:events';
import { isFactStream, stream } from '../../domain/facts.ts';
import type { StoredEvent } from '../../infra/event-store/client.ts';
import { type AuditedLog, recordedMs } from './source.ts';

export interface ReplayOptions {
  readonly channel?: number;
  readonly webhook?: number;
  readonly event?: number;
  readonly type?: readonly string[];
  /** In ms since the epoch. */
  readonly since?: number;
  readonly until?: number;
  readonly after?: number;
  readonly follow?: boolean;
}

const AT_A_TIME = 256;

/** Prints the facts that are asked for, as the log holds them, a JSON object a line. @throws StoreUnavailable */
export async function replay({ store }: AuditedLog, options: ReplayOptions, signal: AbortSignal): Promise<void> {
  const isWanted = createFilter(options);
  const { after = -1, follow } = options;
  const batches = follow
    ? store.followStored({ after, signal })
    : store.storedUpTo({ after, to: await store.lastPosition(), atATime: AT_A_TIME, signal });
  for await (const { facts } of batches) {
    const lines = facts.map((event) => (isWanted(event) ? `${lineOf(event)}\n` : ''));
    if (signal.aborted) return;
    if (!process.stdout.write(lines.join(''))) await once(process.stdout, 'drain', { signal }).catch(() => {});
  }
}

function lineOf(event: StoredEvent): string {
  const { position, stream: name, revision, type, id, metadata, data } = event;
  const recorded_at = new Date(recordedMs(event)).toISOString();
  return JSON.stringify({
    position,
    recorded_at,
    stream: name,
    revision,
    type,
    id,
    data: json(data),
    metadata: json(metadata),
  });
}

const json = (bytes: Buffer): unknown => JSON.parse(bytes.toString());

/** What the parts of a fact's data say of what it is about. */
interface About {
  readonly channel_id?: number;
  readonly webhook_id?: number;
}

/** All that is asked must hold. Webhooks of a channel are known from their creation, which comes first. */
function createFilter({ channel, webhook, event, type, since, until }: ReplayOptions): (event: StoredEvent) => boolean {
  const ofChannel =
    channel === undefined
      ? []
      : [stream.channel, stream.events, stream.deliveries, stream.erasure].map((of) => of(channel));
  const streams = new Set(ofChannel);

  function isOfChannel(fact: StoredEvent): boolean {
    if (streams.has(fact.stream)) return true;
    if (fact.type !== 'WebhookCreated' && !/^(guid|recovery|erased)-/.test(fact.stream)) return false;
    if ((json(fact.data) as About).channel_id !== channel) return false;
    if (fact.type === 'WebhookCreated') streams.add(fact.stream);
    return true;
  }
  function isOfWebhook(fact: StoredEvent): boolean {
    if (webhook === undefined || fact.stream === stream.webhook(webhook)) return true;
    return /^(deliveries|recovery)-/.test(fact.stream) && (json(fact.data) as About).webhook_id === webhook;
  }

  function isOfEvent({ stream: name, metadata, data }: StoredEvent): boolean {
    const isRecovery = name.startsWith('recovery-');
    return isRecovery ? data.includes(String(event)) : metadata.includes(`"$correlationId":"${event}"`);
  }

  return (fact) => {
    if (!isFactStream(fact.stream)) return false;
    // First of all: what it learns it needs of every fact.
    if (channel !== undefined && !isOfChannel(fact)) return false;
    if (type && !type.includes(fact.type)) return false;
    if (since !== undefined && recordedMs(fact) < since) return false;
    if (until !== undefined && recordedMs(fact) >= until) return false;
    if (event !== undefined && !isOfEvent(fact)) return false;
    return isOfWebhook(fact);
  };
}
