import type { PublishedEvent } from '../../../domain/event.ts';
import type { RecordedFact } from '../../../domain/facts.ts';
import type { NotificationLogEntry } from '../../../domain/notification-log.ts';
import type { History, Hit } from '../history.ts';
import type { Attempted } from './deliveries.ts';
import { type Explanations, explanations } from './explained.ts';
import { type Violation, violation } from './violation.ts';

export interface HitCounts {
  readonly hits: number;
  /** POSTs after one that had been answered with 200, or that ended the delivery. */
  readonly duplicates: number;
  /** Those of them that a crash amid a backlog made. */
  readonly backlogged: number;
  /** The duplicates by the fault that let delivery die between POST and append. */
  readonly causes: Readonly<Record<string, number>>;
  /** POSTs that the log does not know, explained by a crash between POST and append. */
  readonly unrecorded: number;
  /** POSTs after the end of a webhook, explained by read models that lagged. */
  readonly late: number;
}

interface Paired {
  readonly hit: Hit;
  readonly attempt: Attempted | undefined;
}

/**
 * Log = what receivers saw. A hit is an attempt of the log, by the second in which it began, the URL and the status; an attempt with a status is a hit. An
 * attempt without one may have reached its receiver or not. What is not so needs a crash that explains it.
 */
export function checkHits(
  history: History,
  facts: readonly RecordedFact[],
  folds: ReadonlyMap<number, readonly NotificationLogEntry[]>,
): { violations: Violation[]; counts: HitCounts } {
  const explain = explanations(history);
  const attempts = Map.groupBy(
    facts.filter((fact) => fact.type === 'DeliveryAttempted'),
    ({ data }) => keyOf(data.event_id, data.webhook_id),
  );
  const hits = Map.groupBy(history.hits, ({ eventId, webhookId }) => keyOf(eventId, webhookId));
  const events = new Map(facts.flatMap((fact) => (fact.type === 'EventPublished' ? [[fact.data.id, fact.data]] : [])));
  const ends = endsOf(facts);
  const violations: Violation[] = [];
  const counts = { hits: history.hits.length, duplicates: 0, backlogged: 0, unrecorded: 0, late: 0 };
  const causes: Record<string, number> = {};
  for (const key of new Set([...attempts.keys(), ...hits.keys()])) {
    const inOrder = lastTries((hits.get(key) ?? []).toSorted((a, b) => a.atMs - b.atMs));
    const [first] = inOrder;
    if (first) violations.push(...checkBodies(inOrder, events, folds));
    const { paired, without } = pair(inOrder, attempts.get(key) ?? []);
    for (const attempt of without) violations.push(violation('attempt that no receiver saw', attempt.data));
    const found = checkStory(paired, ends.get(first?.webhookId ?? 0), explain);
    violations.push(...found.violations);
    for (const count of ['duplicates', 'backlogged', 'unrecorded', 'late'] as const) counts[count] += found[count];
    for (const cause of found.causes) causes[cause] = (causes[cause] ?? 0) + 1;
  }
  return { violations, counts: { ...counts, causes } };
}

const keyOf = (eventId: number, webhookId: number) => `${eventId}-${webhookId}`;

/** When webhooks ended, by id, in ms. The channel's end is that of its webhooks. */
function endsOf(facts: readonly RecordedFact[]): Map<number, number> {
  const channels = new Map<number, number>();
  const ends = new Map<number, number>();
  for (const fact of facts) {
    const id = Number(fact.stream.slice(fact.stream.indexOf('-') + 1));
    if (fact.type === 'WebhookCreated') channels.set(id, fact.data.channel_id);
    if (fact.type === 'WebhookDeleted') ends.set(id, fact.recordedAtMs);
    if (fact.type !== 'ChannelDeleted') continue;
    for (const [webhook, channel] of channels)
      if (channel === id && !ends.has(webhook)) ends.set(webhook, fact.recordedAtMs);
  }
  return ends;
}

/** Without each POST that got no answer, where the next one is the second try of it: both are one attempt of the log. */
function lastTries(hits: readonly Hit[]): Hit[] {
  return hits.filter((hit, n) => {
    const next = hits[n + 1];
    const isTriedAgain = next?.isSecondTry && next.timestampS === hit.timestampS && next.path === hit.path;
    return !(isTriedAgain && hit.status === null && !hit.isSecondTry);
  });
}

function checkBodies(
  hits: readonly Hit[],
  events: ReadonlyMap<number, PublishedEvent>,
  folds: ReadonlyMap<number, readonly NotificationLogEntry[]>,
): Violation[] {
  return hits.flatMap((hit) => {
    const isMeant = folds.get(hit.eventId)?.some(({ webhook_id }) => webhook_id === hit.webhookId);
    if (!isMeant) return [violation('POST that the log does not call for', hit)];
    return hit.body === JSON.stringify(events.get(hit.eventId)) ? [] : [violation('POST of something else', hit)];
  });
}

function pair(hits: readonly Hit[], attempts: readonly Attempted[]): { paired: Paired[]; without: Attempted[] } {
  const left = new Set(hits);
  const attemptOf = new Map<Hit, Attempted>();
  const without: Attempted[] = [];
  // Those with a status first: they are the choosier ones.
  for (const attempt of attempts.toSorted(
    (a, b) => Number(a.data.status_code === null) - Number(b.data.status_code === null),
  )) {
    const candidates = [...left].filter((hit) => isOf(hit, attempt));
    // A receiver may have answered too late for us: then any hit will do, but rather one without an answer.
    const hit = candidates.toSorted((a, b) => Number(a.status !== null) - Number(b.status !== null))[0];
    if (hit) {
      left.delete(hit);
      attemptOf.set(hit, attempt);
    } else if (attempt.data.status_code !== null) without.push(attempt);
  }
  return { paired: hits.map((hit) => ({ hit, attempt: attemptOf.get(hit) })), without };
}

function isOf({ timestampS, path, status }: Hit, { data }: Attempted): boolean {
  const isSame = timestampS === Math.floor(Date.parse(data.at) / 1_000) && new URL(data.webhook_url).pathname === path;
  return isSame && (data.status_code === null || data.status_code === status);
}

/** The POSTs of one delivery, one after the other. */
function checkStory(paired: readonly Paired[], endedMs: number | undefined, explain: Explanations) {
  const found = { violations: [] as Violation[], causes: [] as string[] };
  const counts = { duplicates: 0, backlogged: 0, unrecorded: 0, late: 0 };
  const over: Paired[] = [];
  for (const { hit, attempt } of paired) {
    if (!attempt) {
      counts.unrecorded += 1;
      if (!explain.deathAfter(hit.atMs)) found.violations.push(violation('POST that is not in the log', hit));
    }
    if (over.length > 0) {
      counts.duplicates += 1;
      const { unexplained, cause, isBacklogged } = explainRepetition(over, hit, explain);
      if (unexplained) found.violations.push(violation('POST after the end', hit, 'after', unexplained));
      if (cause) found.causes.push(cause);
      if (isBacklogged) counts.backlogged += 1;
    }
    if (endedMs !== undefined && hit.atMs > endedMs) {
      counts.late += 1;
      if (!explain.isLate(endedMs, hit.atMs)) found.violations.push(violation('POST after cancelled', hit, endedMs));
    }
    const isOver = attempt ? attempt.data.outcome !== 'retrying' : hit.status === 200;
    if (isOver) over.push({ hit, attempt });
  }
  return { ...found, ...counts };
}

/** Each POST that had ended the delivery must have been forgotten, by a death of its own between it and its record, before the next one was made. */
function explainRepetition(over: readonly Paired[], next: Hit, explain: Explanations) {
  const deaths = over.map(({ hit, attempt }) =>
    explain.deathAfter(hit.atMs, Math.min(next.atMs, attempt?.recordedAtMs ?? Number.POSITIVE_INFINITY)),
  );
  const unexplained = over[deaths.indexOf(undefined)];
  const last = deaths.at(-1);
  const isBacklogged = over.some(({ hit }) => explain.isBacklogged(hit.atMs));
  return { unexplained, isBacklogged, cause: unexplained ? undefined : last?.what };
}
