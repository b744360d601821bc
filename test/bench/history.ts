import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { connectEventStore } from '../../infra/event-store/client.ts';
import { removeDerived } from '../../infra/sqlite.ts';
import { readModelsFile } from '../../projections/generations.ts';
import { readModels } from '../../projections/read-models.ts';
import { treeFile } from '../../services/tree.ts';
import { type BenchStack, startBenchStack } from './bench-stack.ts';
import { type Figures, median, spread } from './figures.ts';
import { writeHistory } from './history-facts.ts';
import { makeChannel, publishCount } from './load.ts';

const WIDTH = 64;
const STARTS = 3;
/** Events that are published and delivered to tell what one costs. */
const SAMPLE = 5_000;
const SAMPLES = 3;
const LOOK_MS = 50;

/**
 * What a long past costs: to make all that is derived from it, or the read models alone, to replay it, to start on top of it, in memory, and whether an event costs more
 * CPU than it does without a past.
 */
export async function history({ quick }: { quick: boolean }): Promise<Figures> {
  const steps = quick ? [10_000, 200_000] : [10_000, 1_000_000, 10_000_000];
  const dataDir = mkdtempSync(join(tmpdir(), 'webhooks-history-'));
  const figures: Figures = {};
  let written = 0;
  let shortPastMs: number | undefined;
  try {
    for (const facts of steps) {
      console.log(`writing a past of ${facts} facts ...`);
      forgetDerived(dataDir);
      writeHistory(dataDir, { from: written, to: facts });
      written = facts;
      const { cpuMsPerEvent, ...measured } = await measure(dataDir);
      for (const [name, figure] of Object.entries(measured)) figures[`history_${facts} ${name}`] = figure;
      figures[`history_${facts} cpu_ms_per_event`] = spread(cpuMsPerEvent);
      shortPastMs ??= median(cpuMsPerEvent);
      figures[`history_${facts} cpu_to_short_past_ratio`] = median(cpuMsPerEvent) / shortPastMs;
    }
    return figures;
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** What was derived from a shorter past would hide what it takes to make it. */
function forgetDerived(dataDir: string) {
  for (const file of [readModelsFile(dataDir), treeFile(dataDir), join(dataDir, 'relay.db')]) removeDerived(file);
  rmSync(join(dataDir, 'nats'), { recursive: true, force: true });
}

async function measure(dataDir: string) {
  console.log('making all that is derived ...');
  const anew = await startBenchStack(WIDTH, { dataDir, env: { TREE_HEAD_INTERVAL: '1s' } });
  const derived_anew_facts_per_s = await rebuilt(anew, dataDir);
  await inTree(anew, dataDir);
  await anew.stop();
  console.log('building the read models ...');
  removeDerived(readModelsFile(dataDir));
  const first = await startBenchStack(WIDTH, { dataDir });
  const rebuild_facts_per_s = await rebuilt(first, dataDir);
  await first.whenIdle();
  console.log('replaying ...');
  const replay_facts_per_s = await replay(first);
  await first.stop();
  const startsMs: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const bench = await startBenchStack(WIDTH, { dataDir });
    startsMs.push(bench.startedInMs);
    if (i < STARTS - 1) await bench.stop();
    else {
      console.log('publishing and delivering on top of it ...');
      const cost = await costOfAnEvent(bench);
      await bench.stop();
      const start_s = spread(startsMs.map((ms) => ms / 1_000));
      return { derived_anew_facts_per_s, rebuild_facts_per_s, replay_facts_per_s, start_s, ...cost };
    }
  }
  throw new Error('it was never started');
}

/** Facts a second, from when the projector runs until the read models hold all that the log held. */
async function rebuilt(bench: BenchStack, dataDir: string): Promise<number> {
  const head = await lastPosition(bench);
  using db = new DatabaseSync(readModelsFile(dataDir), { readOnly: true });
  const { position } = readModels(db);
  const fromMs = performance.now();
  const from = position();
  while (position() < head) await delay(LOOK_MS);
  return ((head - from) / (performance.now() - fromMs)) * 1_000;
}

/** Resolves once the tree holds all that the log held. */
async function inTree(bench: BenchStack, dataDir: string): Promise<void> {
  const head = await lastPosition(bench);
  using db = new DatabaseSync(treeFile(dataDir), { readOnly: true });
  const select = db.prepare('SELECT position FROM tree');
  while (Number(select.get()?.position) < head) await delay(LOOK_MS);
}

async function lastPosition(bench: BenchStack): Promise<number> {
  const store = connectEventStore(await bench.eventstoreUrl());
  const head = await store.lastPosition();
  await store.close();
  return head;
}

/** Facts a second that one reader of the log gets, decoded. */
async function replay(bench: BenchStack): Promise<number> {
  const store = connectEventStore(await bench.eventstoreUrl());
  const head = await store.lastPosition();
  const abort = new AbortController();
  const beganMs = performance.now();
  let facts = 0;
  for await (const batch of store.follow({ after: -1, signal: abort.signal })) {
    facts += batch.facts.length;
    if (batch.position >= head) break;
  }
  const perS = (facts / (performance.now() - beganMs)) * 1_000;
  await store.close();
  return perS;
}

async function costOfAnEvent(bench: BenchStack) {
  const channel = await makeChannel(bench.api, [bench.webhookUrl()]);
  const perEventMs: number[] = [];
  for (let i = 0; i <= SAMPLES; i++) {
    await bench.whenIdle();
    const usedMs = bench.treeCpuMs();
    const round = bench.nextRound();
    await publishCount(bench.api, [channel], { round, width: WIDTH, count: SAMPLE });
    await bench.received(round, SAMPLE);
    await bench.whenIdle();
    if (i > 0) perEventMs.push((bench.treeCpuMs() - usedMs) / SAMPLE);
  }
  return { cpuMsPerEvent: perEventMs, tree_mib: await bench.treeMiB() };
}
