import { type AttemptedDelivery, type Delivery, decideAttempt, openDelivery } from '../../../domain/delivery.ts';
import type { RecordedFact } from '../../../domain/facts.ts';
import { foldNotificationLog, type NotificationLogEntry } from '../../../domain/notification-log.ts';
import type { RetryPolicy } from '../../../domain/retry-rule.ts';
import { type Violation, violation } from './violation.ts';

export type Attempted = Extract<RecordedFact, { type: 'DeliveryAttempted' }>;

/** What the log says about every event, by event id: the fold of its facts and nothing else. */
export function foldAll(facts: readonly RecordedFact[]): Map<number, NotificationLogEntry[]> {
  const byEvent = Map.groupBy(facts, eventOf);
  const shared = byEvent.get(undefined) ?? [];
  const folds = new Map<number, NotificationLogEntry[]>();
  for (const [id, own] of byEvent) {
    if (id === undefined) continue;
    const inOrder = [...shared, ...own].sort((a, b) => a.position - b.position);
    folds.set(id, foldNotificationLog(inOrder, id));
  }
  return folds;
}

function eventOf(fact: RecordedFact): number | undefined {
  if (fact.type === 'EventPublished') return fact.data.id;
  return fact.type === 'DeliveryAttempted' ? fact.data.event_id : undefined;
}

/** Every delivery is over, and each attempt was decided by the retry rule. */
export function checkDeliveries(
  facts: readonly RecordedFact[],
  folds: ReadonlyMap<number, readonly NotificationLogEntry[]>,
  policy: RetryPolicy,
): Violation[] {
  const found: Violation[] = [];
  for (const [id, entries] of folds) {
    for (const entry of entries) {
      if (entry.status === 'pending') found.push(violation('delivery is never over', id, entry));
    }
  }
  const published = new Map(
    facts.flatMap((fact) => (fact.type === 'EventPublished' ? [[fact.data.id, fact.data]] : [])),
  );
  for (const fact of facts) {
    if (fact.type !== 'DeliveryAttempted') continue;
    const event = published.get(fact.data.event_id);
    const isKnown = folds.get(fact.data.event_id)?.some(({ webhook_id }) => webhook_id === fact.data.webhook_id);
    if (!event || !isKnown) {
      found.push(violation('attempt of a delivery that is none', fact.data));
      continue;
    }
    const opened = openDelivery(event, {
      ...{ id: fact.data.webhook_id, fields: { webhook_url: fact.data.webhook_url }, pause: null },
    });
    if (!isDecided(opened, fact.data, policy)) found.push(violation('attempt against the retry rule', fact.data));
  }
  return found;
}

function isDecided(delivery: Delivery, attempted: AttemptedDelivery, policy: RetryPolicy): boolean {
  const { at, webhook_url, webhook_revision: revision, outcome, next_attempt_at } = attempted;
  const attempt = { atMs: Date.parse(at), answer: attempted };
  const { data } = decideAttempt(delivery, policy, { webhook_url, revision }, attempt);
  return data.outcome === outcome && data.next_attempt_at === next_attempt_at;
}
