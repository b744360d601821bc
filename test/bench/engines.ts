import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { connect, nanos, RetentionPolicy, StorageType } from 'nats';
import { createSlots } from '../../infra/slots.ts';
import { startBenchStack } from './bench-stack.ts';
import { type Figures, spread } from './figures.ts';

/** Events of one transaction, and messages under way at a time. */
const BATCH = 64;
const PAYLOAD = Buffer.alloc(300, 'x');

const ROUNDS = 3;

/** What the engines themselves do, one client each: rows that SQLite makes durable, and messages that JetStream keeps. */
export async function engines({ quick }: { quick: boolean }): Promise<Figures> {
  const durationMs = quick ? 1_000 : 5_000;
  const bench = await startBenchStack(1);
  try {
    const sqlite: number[] = [];
    const jetStream: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      sqlite.push(sqliteAppends(durationMs));
      jetStream.push(await jetStreamPublishes(await bench.natsUrl(), durationMs));
    }
    return { 'engines sqlite_appends_per_s': spread(sqlite), 'engines jetstream_publishes_per_s': spread(jetStream) };
  } finally {
    await bench.stop();
  }
}

/** Rows a second that SQLite makes durable, a transaction of so many after the other. */
function sqliteAppends(durationMs: number): number {
  const dir = mkdtempSync(join(tmpdir(), 'webhooks-bench-'));
  const db = new DatabaseSync(join(dir, 'raw.db'));
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE');
    db.exec('CREATE TABLE events (position INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT');
    const insert = db.prepare('INSERT INTO events (data) VALUES (?)');
    const beganMs = performance.now();
    let count = 0;
    for (; performance.now() - beganMs < durationMs; count += BATCH) {
      db.exec('BEGIN');
      for (let i = 0; i < BATCH; i++) insert.run(PAYLOAD);
      db.exec('COMMIT');
    }
    return (count / (performance.now() - beganMs)) * 1_000;
  } finally {
    db.close();
    rmSync(dir, { recursive: true });
  }
}

/** Messages a second that JetStream keeps on disk and acknowledges to one client. */
async function jetStreamPublishes(natsUrl: string, durationMs: number): Promise<number> {
  const nc = await connect({ servers: natsUrl, noAsyncTraces: true });
  const jsm = await nc.jetstreamManager();
  const name = 'BENCH';
  await jsm.streams.add({
    ...{ name, subjects: ['bench.raw'], retention: RetentionPolicy.Limits, storage: StorageType.File },
    duplicate_window: nanos(120_000),
  });
  try {
    const js = nc.jetstream();
    const slots = createSlots(BATCH);
    const beganMs = performance.now();
    let count = 0;
    for (; performance.now() - beganMs < durationMs; count++) {
      await slots.acquire();
      void js.publish('bench.raw', PAYLOAD, { msgID: String(count) }).finally(slots.release);
    }
    await slots.whenIdle();
    return (count / (performance.now() - beganMs)) * 1_000;
  } finally {
    await jsm.streams.delete(name);
    await nc.close();
  }
}
