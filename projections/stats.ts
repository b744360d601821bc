import type { DatabaseSync } from 'node:sqlite';
import type { Outcome } from '../domain/delivery.ts';
import { percentileMs, slotOf } from '../domain/histogram.ts';
import type { RecordedOf } from './projection.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Attempts are counted in short buckets of time, which tell of the last hour, and in long ones, which tell of days; each kept a little longer than it tells of. */
const BUCKETS = [
  { spanMs: 5 * MINUTE_MS, keptMs: 2 * HOUR_MS },
  { spanMs: HOUR_MS, keptMs: 8 * 24 * HOUR_MS },
] as const;
const [SHORT, LONG] = BUCKETS;

/** What is told of: so many buckets, the one of now among them. */
const PERIODS = {
  hour: { spanMs: SHORT.spanMs, buckets: 12 },
  day: { spanMs: LONG.spanMs, buckets: 24 },
  week: { spanMs: LONG.spanMs, buckets: 7 * 24 },
} as const;

/** The table of how many attempts of a webhook were recorded in a bucket of time, by what came of them and by how long they took. */
export const ATTEMPT_COUNTS = `
  CREATE TABLE IF NOT EXISTS attempt_counts (
    webhook_id INTEGER NOT NULL, span_ms INTEGER NOT NULL, from_ms INTEGER NOT NULL, outcome TEXT NOT NULL, slot INTEGER NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY (webhook_id, span_ms, from_ms, outcome, slot)
  ) STRICT, WITHOUT ROWID;`;

interface Counted {
  readonly webhookId: number;
  readonly spanMs: number;
  readonly fromMs: number;
  readonly outcome: Outcome;
  readonly slot: number;
  count: number;
}

/** Of how many webhooks the newest long bucket is remembered. */
const REMEMBERED = 20_000;

/**
 * Counts attempts: in memory while a batch of facts is applied, in rows at its end. What is left of old buckets does not depend on where batches
 * end: of each webhook, those that are not too old beside its newest long one.
 */
export function attemptCounter(db: DatabaseSync, atEnd: (write: () => void) => void) {
  const upsert = db.prepare(`
    INSERT INTO attempt_counts VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (webhook_id, span_ms, from_ms, outcome, slot) DO UPDATE SET count = count + excluded.count`);
  const prune = db.prepare(`
    DELETE FROM attempt_counts WHERE webhook_id = ?1 AND span_ms = ?2 AND from_ms <
      (SELECT max(from_ms) FROM attempt_counts WHERE webhook_id = ?1 AND span_ms = ${LONG.spanMs}) - ?3`);
  const erase = db.prepare('DELETE FROM attempt_counts WHERE webhook_id = ?');
  const eraseUntil = db.prepare('DELETE FROM attempt_counts WHERE webhook_id = ? AND from_ms <= ?');
  const counted = new Map<string, Counted>();
  const newest = new Map<number, number>();

  function forgetOld({ webhookId, fromMs }: Counted) {
    if (newest.get(webhookId) === fromMs) return;
    for (const { spanMs, keptMs } of BUCKETS) prune.run(webhookId, spanMs, keptMs);
    if (newest.size >= REMEMBERED) newest.clear();
    newest.set(webhookId, Math.max(fromMs, newest.get(webhookId) ?? 0));
  }

  atEnd(() => {
    for (const { webhookId, spanMs, fromMs, outcome, slot, count } of counted.values())
      upsert.run(webhookId, spanMs, fromMs, outcome, slot, count);
    for (const bucket of counted.values()) if (bucket.spanMs === LONG.spanMs) forgetOld(bucket);
    counted.clear();
  });

  function count({ data, recordedAtMs }: RecordedOf<'DeliveryAttempted'>) {
    const { webhook_id: webhookId, outcome, duration_ms } = data;
    const slot = slotOf(duration_ms);
    for (const { spanMs } of BUCKETS) {
      const fromMs = recordedAtMs - (recordedAtMs % spanMs);
      const name = `${webhookId} ${spanMs} ${fromMs} ${outcome} ${slot}`;
      const known = counted.get(name);
      if (known) known.count += 1;
      else counted.set(name, { webhookId, spanMs, fromMs, outcome, slot, count: 1 });
    }
  }

  return {
    count,
    /** Forgets all that was counted of a webhook. */
    forget(webhookId: number): void {
      for (const [name, bucket] of counted) if (bucket.webhookId === webhookId) counted.delete(name);
      erase.run(webhookId);
    },
    /** Forgets the buckets of a webhook that hold what was recorded up to a time, in ms since the epoch. */
    forgetUntil(webhookId: number, untilMs: number): void {
      for (const [name, bucket] of counted)
        if (bucket.webhookId === webhookId && bucket.fromMs <= untilMs) counted.delete(name);
      eraseUntil.run(webhookId, untilMs);
    },
  };
}

/** What was recorded in a period that ends now. */
export interface PeriodStats {
  /** Beginning of the period, in ms since the epoch. */
  readonly fromMs: number;
  readonly attempts: number;
  /** Attempts that delivered, and attempts that did not. */
  readonly delivered: number;
  readonly failed_attempts: number;
  /** Deliveries that were given up. */
  readonly failed: number;
  /** Of all attempts, to 9.1 %; undefined where there were none. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
}

export type Period = keyof typeof PERIODS;
export const PERIOD_NAMES = Object.keys(PERIODS) as readonly Period[];
export type WebhookStats = { readonly [P in Period]: PeriodStats };

interface CountRow {
  readonly outcome: Outcome;
  readonly slot: number;
  readonly count: number;
}

export function statsQueries(db: DatabaseSync) {
  const counted = db.prepare(`
    SELECT outcome, slot, sum(count) AS count FROM attempt_counts
    WHERE webhook_id = ? AND span_ms = ? AND from_ms BETWEEN ? AND ? GROUP BY outcome, slot`);
  const each = db.prepare(`
    SELECT from_ms, outcome, slot, count FROM attempt_counts
    WHERE webhook_id = ? AND span_ms = ? AND from_ms BETWEEN ? AND ?`);

  function inPeriod(webhookId: number, nowMs: number, period: Period): PeriodStats {
    const { spanMs, fromMs, lastMs } = boundsOf(period, nowMs);
    return statsOf(fromMs, counted.all(webhookId, spanMs, fromMs, lastMs) as unknown as CountRow[]);
  }

  return {
    /** @param nowMs ms since the epoch */
    ofWebhook: (id: number, nowMs: number): WebhookStats => ({
      hour: inPeriod(id, nowMs, 'hour'),
      day: inPeriod(id, nowMs, 'day'),
      week: inPeriod(id, nowMs, 'week'),
    }),
    /** The buckets that a period is made of, oldest first. @param nowMs ms since the epoch */
    series(id: number, nowMs: number, period: Period): PeriodStats[] {
      const { spanMs, buckets, fromMs, lastMs } = boundsOf(period, nowMs);
      const rows = each.all(id, spanMs, fromMs, lastMs) as unknown as (CountRow & { readonly from_ms: number })[];
      const byFrom = Map.groupBy(rows, ({ from_ms }) => from_ms);
      return Array.from({ length: buckets }, (_, index) => fromMs + index * spanMs).map((from) =>
        statsOf(from, byFrom.get(from) ?? []),
      );
    },
  };
}

/** Beginnings of the first and the last bucket of a period, in ms since the epoch. */
function boundsOf(period: Period, nowMs: number) {
  const { spanMs, buckets } = PERIODS[period];
  const lastMs = nowMs - (nowMs % spanMs);
  return { spanMs, buckets, fromMs: lastMs - (buckets - 1) * spanMs, lastMs };
}

function statsOf(fromMs: number, rows: readonly CountRow[]): PeriodStats {
  const countOf = (outcome: Outcome) => sum(rows.filter((row) => row.outcome === outcome));
  const [attempts, delivered, failed] = [sum(rows), countOf('delivered'), countOf('failed')];
  const slots = new Map<number, number>();
  for (const { slot, count } of rows) slots.set(slot, (slots.get(slot) ?? 0) + count);
  return {
    ...{ fromMs, attempts, delivered, failed_attempts: attempts - delivered, failed },
    ...{ p50Ms: percentileMs(slots, 0.5), p95Ms: percentileMs(slots, 0.95) },
  };
}

function sum(rows: readonly CountRow[]): number {
  return rows.reduce((total, { count }) => total + count, 0);
}
