import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectEventStore } from '../../infra/event-store/client.ts';
import { takeBackup } from './backup.ts';
import { type ChaosStack, startChaosStack } from './chaos-stack.ts';
import { checkEndings } from './checks/endings.ts';
import { type Violation, violation } from './checks/violation.ts';
import { type Client, createClient } from './client.ts';
import { type History, newHistory } from './history.ts';
import { startLoad } from './load.ts';
import { runNemesis } from './nemesis.ts';
import { startReceivers } from './receivers.ts';
import { checkRestored, type RestoredCounts } from './restored.ts';
import { createScene } from './scene.ts';
import { queueState, whenQueueEmpty, whenSettled } from './settle.ts';
import { type Counts, check, readFacts } from './verdict.ts';

/** How long everything may take to be delivered once nothing is wrong any more, in ms: longer than the sweeper waits before it acts. */
const SETTLE_MS = 120_000;
/** How soon events must be accepted again, in ms. */
const RESUME_MS = 30_000;

export interface RoundOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly counts: Counts;
  /** The kinds of the faults that happened, in order. */
  readonly faults: readonly string[];
  /** How long it took after the last fault until everything was delivered, in ms. */
  readonly settledMs: number;
  /** Absent where none was restored. */
  readonly restored?: RestoredCounts;
  /** Where everything is that the round has left, if it failed. */
  readonly keptIn?: string;
}

/** One round: a fresh stack, load and faults from the seed, time to recover, and the checker's verdict. */
export async function runRound(options: RoundOptions): Promise<Verdict> {
  const dir = mkdtempSync(join(tmpdir(), 'webhooks-chaos-'));
  const history = newHistory();
  const receivers = await startReceivers(options.seed, history.hits);
  const stack = await startChaosStack(dir);
  const client = createClient(stack.url);
  const scene = createScene(options.seed, client, receivers, history);
  try {
    await scene.setUp();
    const happening = happenings(options, stack, client, scene, history);
    const { violations, backup, ...made } = await Promise.race([happening, stack.whenFailed()]);
    const facts = await readFacts(stack);
    const verdict = await check({ ...stack, client, channels: scene.channels }, facts, history);
    await stack.stop();
    violations.push(...verdict.violations, ...checkEndings(stack.said(), history));
    let restored: RestoredCounts | undefined;
    if (backup && violations.length === 0) {
      options.say('         restoring the backup');
      const of = { dir, backup, facts, history, channels: scene.channels, receivers };
      const found = await checkRestored(of);
      violations.push(...found.violations);
      restored = found.counts;
    }
    const kept = violations.length > 0 && { keptIn: keep(dir, history) };
    return { ...made, ...kept, violations, counts: verdict.counts, ...(restored && { restored }) };
  } catch (error) {
    await stack.stop();
    throw new Error(`the round could not be finished; everything is in ${keep(dir, history)}`, { cause: error });
  } finally {
    await client.close();
    await receivers.close();
    stack.remove();
  }
}

/** A copy, since the disks of a round go with it. */
function keep(dir: string, history: History): string {
  const kept = `${dir}-failed`;
  writeFileSync(join(dir, 'history.json'), JSON.stringify(history));
  cpSync(dir, kept, { recursive: true });
  return kept;
}

/** Load, changes, a backup and faults; then recovery. */
async function happenings(
  { seed, seconds, say }: RoundOptions,
  stack: ChaosStack,
  client: Client,
  scene: ReturnType<typeof createScene>,
  history: History,
) {
  const lastsMs = seconds * 1_000;
  const load = startLoad(seed, client, scene.channels, history);
  const [quiet, giveUp] = [new AbortController(), new AbortController()];
  const changing = scene.keepChanging(lastsMs, quiet.signal);
  const backingUp = takeBackup(stack, join(stack.dir, 'backups'), lastsMs / 2, giveUp.signal);
  const faults = await runNemesis({ seed, lastsMs, say }, stack, history);
  const beganMs = performance.now();
  const violations: Violation[] = [];
  if (!(await isResuming(load))) violations.push(violation('no event is accepted any more'));
  const givingUp = setTimeout(() => giveUp.abort(), RESUME_MS);
  const { backup, violations: ofBackup } = await backingUp;
  clearTimeout(givingUp);
  quiet.abort();
  await changing;
  await load.stop(RESUME_MS);
  say(`         ${load.accepted()} events accepted, ${history.hits.length} POSTs so far; waiting for the rest`);
  violations.push(...ofBackup);
  const store = connectEventStore(stack.storeUrl());
  const left = await whenSettled(stack, store, SETTLE_MS);
  await store.close();
  const settledMs = performance.now() - beganMs;
  if (left) violations.push(violation('does not come to rest', left, await queueState(stack)));
  const messages = await whenQueueEmpty(stack);
  if (messages !== 0) say(`         ${messages} messages are still waiting in the queue`);
  return { violations, faults, settledMs, backup };
}

async function isResuming(load: ReturnType<typeof startLoad>): Promise<boolean> {
  const before = load.accepted();
  const untilMs = performance.now() + RESUME_MS;
  while (performance.now() < untilMs) {
    if (load.accepted() > before + 20) return true;
    await delay(100);
  }
  return false;
}
