import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDerived, openForReading } from '../../infra/sqlite.ts';
import { createReadModels, type ReadModels, readModels, readModelWriter } from '../../projections/read-models.ts';
import { CHANNEL_ID, HOUR_MS, WEBHOOK_ID } from '../support/sample.ts';
import { type Figures, percentile } from './figures.ts';
import { COMMON, END_MS, idOf, pastOf, RARE } from './lists-past.ts';

const WEBHOOK = { id: WEBHOOK_ID, channel_id: CHANNEL_ID };
/** How often each query is asked. */
const ASKED = 2_000;
const LIMIT = 50;
const PROGRESS_MS = 10_000;
const MiB = 1_024 * 1_024;

/** How long lists, feed and stats take over read models of many events, in ms a query; no HTTP. */
export async function lists({ quick }: { quick: boolean }): Promise<Figures> {
  const count = quick ? 100_000 : 10_000_000;
  const dir = mkdtempSync(join(tmpdir(), 'webhooks-lists-'));
  const file = join(dir, 'read-models.db');
  try {
    console.log(`folding the facts of ${count} events ...`);
    const figures: Figures = { events: count, fold_facts_per_s: fold(file, count) };
    figures.file_mib = statSync(file).size / MiB;
    const db = openForReading(file);
    if (!db) throw new Error('the read models are not there');
    for (const [name, query] of Object.entries(queries(readModels(db), count))) {
      const tookMs = Array.from({ length: ASKED }, (_, n) => timeOf(query, n));
      figures[`${name} p50_ms`] = percentile(tookMs, 0.5);
      figures[`${name} p99_ms`] = percentile(tookMs, 0.99);
    }
    db.close();
    return figures;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Facts a second. */
function fold(file: string, count: number): number {
  const db = openDerived(file);
  createReadModels(db);
  const writer = readModelWriter(db);
  let [facts, tookMs, saidMs] = [0, 0, performance.now()];
  for (const batch of pastOf(count)) {
    const beganMs = performance.now();
    writer.apply(batch, batch.at(-1)?.position ?? -1);
    tookMs += performance.now() - beganMs;
    facts += batch.length;
    if (performance.now() - saidMs < PROGRESS_MS) continue;
    saidMs = performance.now();
    console.log(`  ${facts} facts`);
  }
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  return (facts / tookMs) * 1_000;
}

type Query = (n: number) => unknown;

/** Each of them, at a place of its own each time it is asked. */
function queries({ lists: { events, deliveries }, feed, stats, position }: ReadModels, count: number) {
  const STEP = 0.618_033_988_749_895;
  const somewhere = (n: number) => Math.floor(((n * STEP) % 1) * count);
  const after = (n: number) => idOf(somewhere(n), count);
  const name = (n: number) => ({ event_name: COMMON.event_name(n) });
  const hour = (n: number) => ({ from: after(n), below: after(n) + (idOf(count, count) - idOf(0, count)) / 168 });
  const end = position();
  return {
    'events, newest': () => events(CHANNEL_ID, {}, { limit: LIMIT }),
    'events, somewhere': (n) => events(CHANNEL_ID, {}, { after: after(n), limit: LIMIT }),
    'events, somewhere, 250': (n) => events(CHANNEL_ID, {}, { after: after(n), limit: 250 }),
    'events, of an hour': (n) => events(CHANNEL_ID, {}, { ...hour(n), limit: LIMIT }),
    'events, by name': (n) => events(CHANNEL_ID, name(n), { after: after(n), limit: LIMIT }),
    'events, by a rare name': () => events(CHANNEL_ID, { event_name: RARE.event_name }, { limit: LIMIT }),
    'events, by reference': (n) =>
      events(CHANNEL_ID, { ext_ref_code: COMMON.ext_ref_code(somewhere(n)) }, { limit: LIMIT }),
    'events, failed': () => events(CHANNEL_ID, { status: 'failed' }, { limit: LIMIT }),
    'events, delivered': (n) => events(CHANNEL_ID, { status: 'delivered' }, { after: after(n), limit: LIMIT }),
    'events, delivered, by name, of an hour': (n) =>
      events(CHANNEL_ID, { status: 'delivered', ...name(n) }, { ...hour(n), limit: LIMIT }),
    'events, pending, by a rare name': () =>
      events(CHANNEL_ID, { status: 'pending', event_name: RARE.event_name }, { limit: LIMIT }),
    'deliveries, newest': () => deliveries(WEBHOOK, {}, { limit: LIMIT }),
    'deliveries, somewhere': (n) => deliveries(WEBHOOK, {}, { after: after(n), limit: LIMIT }),
    'deliveries, somewhere, 250': (n) => deliveries(WEBHOOK, {}, { after: after(n), limit: 250 }),
    'deliveries, failed': () => deliveries(WEBHOOK, { status: 'failed' }, { limit: LIMIT }),
    'deliveries, by name': (n) => deliveries(WEBHOOK, name(n), { after: after(n), limit: LIMIT }),
    'deliveries, by a rare name': () => deliveries(WEBHOOK, { event_name: RARE.event_name }, { limit: LIMIT }),
    'deliveries, pending, by a rare name': () =>
      deliveries(WEBHOOK, { status: 'pending', event_name: RARE.event_name }, { limit: LIMIT }),
    'feed, somewhere': (n) => feed.behind(WEBHOOK, Math.floor(((n * STEP) % 1) * end), LIMIT),
    'feed, at its end': () => feed.behind(WEBHOOK, end, LIMIT),
    'feed, a look for those who wait': () => feed.newestIn(CHANNEL_ID),
    stats: (n) => stats.ofWebhook(WEBHOOK_ID, END_MS - ((n * STEP) % 1) * HOUR_MS),
  } satisfies Record<string, Query>;
}

function timeOf(query: Query, n: number): number {
  const beganMs = performance.now();
  query(n);
  return performance.now() - beganMs;
}
