import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import fc from 'fast-check';
import { type RecordedFact, stream } from '../../../domain/facts.ts';
import { msOf, slotOf } from '../../../domain/histogram.ts';
import { createReadModels, readModels, readModelWriter } from '../../../projections/read-models.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_ID,
  channelCreated,
  createLog,
  HOUR_MS,
  published,
  WEBHOOK_ID,
  webhookCreated,
} from '../../support/sample.ts';

const OTHER = WEBHOOK_ID + 1;
const DAY_MS = 24 * HOUR_MS;
const OUTCOMES = ['delivered', 'retrying', 'failed'] as const;

interface Made {
  readonly webhook_id: number;
  readonly outcome: (typeof OUTCOMES)[number];
  readonly duration_ms: number;
  /** Since the first, in ms. */
  readonly agoMs: number;
}

const made = fc.record({
  webhook_id: fc.constantFrom(WEBHOOK_ID, OTHER),
  outcome: fc.constantFrom(...OUTCOMES),
  duration_ms: fc.integer({ min: 0, max: 20_000 }),
  agoMs: fc.oneof(fc.integer({ min: 0, max: 2 * HOUR_MS }), fc.integer({ min: 0, max: 20 * DAY_MS })),
});

/** Attempts as the log has them, by the clock of the store, which may have been set back in between. */
function logOf(attempts: readonly Made[], nowMs: number): RecordedFact[] {
  const log = createLog();
  log.add(stream.channel(CHANNEL_ID), channelCreated());
  for (const id of [WEBHOOK_ID, OTHER]) log.add(stream.webhook(id), webhookCreated({ id }));
  log.add(stream.events(CHANNEL_ID), published());
  const first = log.facts.length;
  for (const { agoMs: _, ...part } of attempts) log.add(stream.deliveries(CHANNEL_ID), attempted(part));
  return log.facts.map((fact, index) => {
    const agoMs = attempts[index - first]?.agoMs;
    return agoMs === undefined ? fact : { ...fact, recordedAtMs: nowMs - agoMs };
  });
}

function fold(facts: readonly RecordedFact[], batch: number): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  createReadModels(db);
  for (let from = 0; from < facts.length; from += batch) {
    const part = facts.slice(from, from + batch);
    // A writer of its own each time: what one remembers must not matter.
    const writer = readModelWriter(db);
    writer.apply(part, part.at(-1)?.position ?? -1);
    writer.apply(part, part.at(-1)?.position ?? -1);
  }
  return db;
}

describe('what is told of the attempts on a webhook', () => {
  it('is what was recorded in the last hour, day and week, each a bucket shorter at most', () => {
    const nowMs = AT_MS + 1_234_567;
    const PERIODS = { hour: [HOUR_MS, HOUR_MS / 12], day: [DAY_MS, HOUR_MS], week: [7 * DAY_MS, HOUR_MS] } as const;
    fc.assert(
      fc.property(fc.array(made, { maxLength: 40 }), fc.integer({ min: 1, max: 10 }), (attempts, batch) => {
        using db = fold(logOf(attempts, nowMs), batch);
        const told = readModels(db).stats.ofWebhook(WEBHOOK_ID, nowMs);
        for (const [period, [lengthMs, spanMs]] of Object.entries(PERIODS)) {
          const { fromMs, p50Ms, p95Ms, ...counts } = told[period as keyof typeof told];
          expect(nowMs - fromMs).to.be.within(lengthMs - spanMs, lengthMs);
          const own = attempts.filter(({ webhook_id, agoMs }) => webhook_id === WEBHOOK_ID && nowMs - agoMs >= fromMs);
          const count = (outcome: string) => own.filter((one) => one.outcome === outcome).length;
          expect(counts, period).to.deep.equal({
            ...{ attempts: own.length, delivered: count('delivered'), failed: count('failed') },
            failed_attempts: own.length - count('delivered'),
          });
          const sorted = own.map(({ duration_ms }) => duration_ms).sort((a, b) => a - b);
          const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1];
          const shown = [0.5, 0.95].map(at).map((ms) => (ms === undefined ? undefined : msOf(slotOf(ms))));
          expect([p50Ms, p95Ms], period).to.deep.equal(shown);
          const series = readModels(db).stats.series(WEBHOOK_ID, nowMs, period as keyof typeof told);
          expect(series.map((part) => part.fromMs)).to.deep.equal(
            Array.from({ length: lengthMs / spanMs }, (_, n) => fromMs + n * spanMs),
          );
          for (const part of series) {
            const inPart = own.filter(({ agoMs }) => Math.floor((nowMs - agoMs - part.fromMs) / spanMs) === 0);
            expect(part.attempts).to.equal(inPart.length);
            expect(part.delivered).to.equal(inPart.filter(({ outcome }) => outcome === 'delivered').length);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('does not depend on where batches end, and keeps few rows', () => {
    const attempts = fc.array(made, { maxLength: 40 });
    const batches = fc.tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 50 }));
    fc.assert(
      fc.property(attempts, batches, (attempts, [one, another]) => {
        const facts = logOf(attempts, AT_MS);
        const rows = [one, another].map((batch) => {
          using db = fold(facts, batch);
          return db.prepare('SELECT * FROM attempt_counts').all();
        });
        expect(rows[0]).to.deep.equal(rows[1]);
      }),
    );
    const daily = Array.from({ length: 100 }, (_, n): Made => {
      return { webhook_id: WEBHOOK_ID, outcome: 'delivered', duration_ms: 5, agoMs: (100 - n) * DAY_MS };
    });
    using db = fold(logOf(daily, AT_MS), 7);
    expect(db.prepare('SELECT count(*) AS rows FROM attempt_counts').get()).to.deep.include({ rows: 10 });
  });

  it('is nothing where there were none', () => {
    using db = fold(logOf([], AT_MS), 10);
    const { week } = readModels(db).stats.ofWebhook(WEBHOOK_ID, AT_MS);
    expect(week).to.deep.include({ attempts: 0, delivered: 0, p50Ms: undefined, p95Ms: undefined });
  });
});
