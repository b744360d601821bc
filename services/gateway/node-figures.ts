import { statfs } from 'node:fs/promises';
import { RELAYED_STREAMS } from '../../domain/facts.ts';
import type { EventStore } from '../../infra/event-store/client.ts';
import { recordedAtMsOf } from '../../infra/event-store/wire/read-response.ts';
import type { Metrics } from '../../infra/metrics/metrics.ts';
import { METRICS } from '../../infra/metrics/names.ts';
import type { QueueState } from '../../infra/queue/client.ts';
import { createRecent } from '../../infra/recent.ts';
import type { ReadModels } from '../../projections/read-models.ts';
import { failureOf } from './checks.ts';
import type { Check } from './context.ts';

/** An answer of the queue, or of the disk, that is so recent serves all figures, in ms. */
const RECENT_MS = 200;
/** How long the event store, and the queue, may take to answer, in ms. */
const UP_MS = 1_000;

export interface NodeFiguresDeps {
  readonly store: Pick<EventStore, 'firstBehind'>;
  readonly readModels: ReadModels;
  readonly relayedTo: () => number | undefined;
  readonly queueState: () => Promise<QueueState>;
  readonly checks: Readonly<Record<'eventstore' | 'nats', Check>>;
  readonly dataDir: string;
  readonly nowMs: () => number;
}

/** What a node knows of the log, the queue and what is due: looked up when it is asked for. */
export function tellNodeFigures(metrics: Metrics, deps: NodeFiguresDeps): void {
  const { store, readModels, relayedTo, checks, nowMs } = deps;
  const queue = createRecent(deps.queueState, RECENT_MS);
  const ageS = (sinceMs: number | undefined) => (sinceMs === undefined ? 0 : Math.max(0, nowMs() - sinceMs) / 1_000);
  const isUp = async (check: Check) => ((await failureOf(check, UP_MS)) === undefined ? 1 : 0);
  const lagS = async (position: number, prefixes?: readonly string[]) => {
    const first = await store.firstBehind(position, prefixes);
    return ageS(first && recordedAtMsOf(first.created));
  };

  metrics.lookUp(METRICS.storeUp, () => isUp(checks.eventstore));
  metrics.lookUp(METRICS.queueUp, () => isUp(checks.nats));
  metrics.lookUp(METRICS.queueMessages, async () => {
    const { messages, untaken, stuck } = await queue();
    return { untaken, taken_or_waiting: messages - untaken, stuck };
  });
  metrics.lookUp(METRICS.queueAge, async () => (await queue()).lagMs / 1_000);
  metrics.lookUp(METRICS.deliveriesDue, () => readModels.deliveries.countDue(nowMs()));
  metrics.lookUp(METRICS.oldestDue, () => ageS(readModels.deliveries.oldestDueMs()));
  metrics.lookUp(METRICS.projectionLag, () => lagS(readModels.position()));
  const disk = createRecent(() => statfs(deps.dataDir), RECENT_MS);
  metrics.lookUp(METRICS.diskFree, async () => {
    const { bavail, bsize } = await disk();
    return bavail * bsize;
  });
  metrics.lookUp(METRICS.diskSize, async () => {
    const { blocks, bsize } = await disk();
    return blocks * bsize;
  });
  metrics.lookUp(METRICS.relayLag, () => {
    const position = relayedTo();
    return position === undefined ? undefined : lagS(position, RELAYED_STREAMS);
  });
}
