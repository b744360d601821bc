import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connectEventStore } from '../../infra/event-store/client.ts';
import { openForReading } from '../../infra/sqlite.ts';
import { readModelsFile } from '../../projections/generations.ts';
import { type ChaosStack, POLICY, startChaosStack } from './chaos-stack.ts';
import { checkAccepted } from './checks/accepted.ts';
import { checkAnswers } from './checks/answers.ts';
import { checkDeliveries, foldAll } from './checks/deliveries.ts';
import { checkEndings } from './checks/endings.ts';
import { checkHits, type HitCounts } from './checks/hits.ts';
import { checkNotificationLogs } from './checks/notification-logs.ts';
import { checkIds, checkLog } from './checks/order.ts';
import { checkReadModels } from './checks/read-models.ts';
import { type Violation, violation } from './checks/violation.ts';
import { type Client, createClient } from './client.ts';
import { type History, newHistory } from './history.ts';
import { startLoad } from './load.ts';
import { runNemesis } from './nemesis.ts';
import { readLog } from './read-log.ts';
import { startReceivers } from './receivers.ts';
import { type Channel, createScene } from './scene.ts';
import { whenQueueEmpty, whenSettled } from './settle.ts';

/** How long everything may take to be delivered once nothing is wrong any more, in ms: longer than the sweeper waits before it acts. */
const SETTLE_MS = 120_000;
/** How soon events must be accepted again, in ms. */
const RESUME_MS = 30_000;
const ASKED = 200;

export interface RoundOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly counts: HitCounts & { readonly accepted: number; readonly facts: number; readonly deliveries: number };
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
    const made = await Promise.race([happenings(options, stack, client, scene, history), stack.whenFailed()]);
    const verdict = await check(stack, client, scene.channels, history);
    await stack.stop();
    const violations = [...made, ...verdict.violations, ...checkEndings(stack.said(), history)];
    return { ...verdict, violations, ...(violations.length > 0 && { keptIn: keep(dir, history) }) };
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

/** Load, changes and faults; then recovery. @returns what did not recover */
async function happenings(
  { seed, seconds, say }: RoundOptions,
  stack: ChaosStack,
  client: Client,
  scene: ReturnType<typeof createScene>,
  history: History,
): Promise<Violation[]> {
  const lastsMs = seconds * 1_000;
  const load = startLoad(seed, client, scene.channels, history);
  const quiet = new AbortController();
  const changing = scene.keepChanging(lastsMs, quiet.signal);
  await runNemesis({ seed, lastsMs, say }, stack, history);
  const found: Violation[] = [];
  if (!(await isResuming(load))) found.push(violation('no event is accepted any more'));
  quiet.abort();
  await changing;
  await load.stop(RESUME_MS);
  say(`         ${load.accepted()} events accepted, ${history.hits.length} POSTs so far; waiting for the rest`);
  const store = connectEventStore(stack.storeUrl());
  const left = await whenSettled(stack, store, SETTLE_MS);
  if (left) found.push(violation('does not come to rest', left));
  const messages = await whenQueueEmpty(stack);
  if (messages !== 0) say(`         ${messages} messages are still waiting in the queue`);
  await store.close();
  return found;
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

async function check(stack: ChaosStack, client: Client, channels: readonly Channel[], history: History) {
  const store = connectEventStore(stack.storeUrl());
  const facts = await readLog(store);
  await store.close();
  const folds = foldAll(facts);
  const hits = checkHits(history, facts, folds);
  const db = openForReading(readModelsFile(stack.dataDir));
  const violations = [
    ...checkLog(facts),
    ...checkAccepted(history, facts),
    ...checkAnswers(history),
    ...checkIds(history),
    ...checkDeliveries(facts, folds, POLICY),
    ...hits.violations,
    ...(db ? checkReadModels(db, facts) : [violation('there are no read models')]),
    ...(await checkNotificationLogs(sample([...folds.keys()]), folds, asking(client, channels, facts))),
  ];
  db?.close();
  const accepted = history.publishes.filter(({ status }) => status === 201).length;
  const deliveries = [...folds.values()].reduce((sum, entries) => sum + entries.length, 0);
  return { violations, counts: { ...hits.counts, accepted, facts: facts.length, deliveries } };
}

function asking(client: Client, channels: readonly Channel[], facts: Awaited<ReturnType<typeof readLog>>) {
  const channelOf = new Map(
    facts.flatMap((fact) => (fact.type === 'EventPublished' ? [[fact.data.id, fact.data.channel_id]] : [])),
  );
  return async (eventId: number) => {
    const channel = channels.find(({ id }) => id === channelOf.get(eventId));
    const path = `/v1/channels/${channel?.id}/events/${eventId}/notification_log?limit=250`;
    const { status, body } = await client.call('GET', path, { key: channel?.publisher_key });
    return status === 404 ? undefined : body;
  };
}

function sample<T>(list: readonly T[]): T[] {
  const step = Math.max(1, Math.floor(list.length / ASKED));
  return list.filter((_, index) => index % step === 0);
}
