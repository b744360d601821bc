import type { RecordedFact } from '../../domain/facts.ts';
import { connectEventStore } from '../../infra/event-store/client.ts';
import { openForReading } from '../../infra/sqlite.ts';
import { readModelsFile } from '../../projections/generations.ts';
import { POLICY } from './chaos-stack.ts';
import { checkAccepted } from './checks/accepted.ts';
import { checkAnswers } from './checks/answers.ts';
import { checkDeliveries, foldAll } from './checks/deliveries.ts';
import { checkHits, type HitCounts } from './checks/hits.ts';
import { checkNotificationLogs } from './checks/notification-logs.ts';
import { checkIds, checkLog } from './checks/order.ts';
import { checkReadModels } from './checks/read-models.ts';
import { type Violation, violation } from './checks/violation.ts';
import type { Client } from './client.ts';
import type { History } from './history.ts';
import { readLog } from './read-log.ts';
import type { Channel } from './scene.ts';

/** Notification logs that the API is asked for. */
const ASKED = 200;

/** A stack that has come to rest. */
export interface Settled {
  readonly dataDir: string;
  readonly storeUrl: () => string;
  readonly client: Client;
  readonly channels: readonly Channel[];
}

export interface Counts extends HitCounts {
  readonly accepted: number;
  readonly facts: number;
  readonly deliveries: number;
}

export async function readFacts({ storeUrl }: Pick<Settled, 'storeUrl'>): Promise<RecordedFact[]> {
  const store = connectEventStore(storeUrl());
  try {
    return await readLog(store);
  } finally {
    await store.close();
  }
}

/** Everything that must hold of a log, of what was derived from it, and of what was seen from outside. */
export async function check(
  settled: Settled,
  facts: readonly RecordedFact[],
  history: History,
): Promise<{ violations: Violation[]; counts: Counts }> {
  const folds = foldAll(facts);
  const hits = checkHits(history, facts, folds);
  const db = openForReading(readModelsFile(settled.dataDir));
  const violations = [
    ...checkLog(facts),
    ...checkAccepted(history, facts),
    ...checkAnswers(history),
    ...checkIds(history),
    ...checkDeliveries(facts, folds, POLICY),
    ...hits.violations,
    ...(db ? checkReadModels(db, facts) : [violation('there are no read models')]),
    ...(await checkNotificationLogs(sample([...folds.keys()]), folds, asking(settled, facts))),
  ];
  db?.close();
  const accepted = history.publishes.filter(({ status }) => status === 201).length;
  const deliveries = [...folds.values()].reduce((sum, entries) => sum + entries.length, 0);
  return { violations, counts: { ...hits.counts, accepted, facts: facts.length, deliveries } };
}

function asking({ client, channels }: Settled, facts: readonly RecordedFact[]) {
  const channelOf = new Map(
    facts.flatMap((fact) => (fact.type === 'EventPublished' ? [[fact.data.id, fact.data.channel_id]] : [])),
  );
  const deleted = new Set(facts.filter(({ type }) => type === 'ChannelDeleted').map(({ stream }) => stream));
  return async (eventId: number) => {
    const channel = channels.find(({ id }) => id === channelOf.get(eventId));
    const path = `/v1/channels/${channel?.id}/events/${eventId}/notification_log?limit=250`;
    const { status, body } = await client.call('GET', path, { key: channel?.publisher_key });
    return status === 404 && deleted.has(`channel-${channel?.id}`) ? undefined : body;
  };
}

function sample<T>(list: readonly T[]): T[] {
  const step = Math.max(1, Math.floor(list.length / ASKED));
  return list.filter((_, index) => index % step === 0);
}
