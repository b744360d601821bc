import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RecordedFact } from '../../domain/facts.ts';
import { connectEventStore } from '../../infra/event-store/client.ts';
import { runWith } from '../e2e/backup/command.ts';
import { type Stack, startStack } from '../support/stack.ts';
import type { Backup } from './backup.ts';
import { SETTINGS, serviceEnv } from './chaos-stack.ts';
import { foldAll } from './checks/deliveries.ts';
import { checkEndings } from './checks/endings.ts';
import { checkBackup, pastOf } from './checks/restored.ts';
import { type Violation, violation } from './checks/violation.ts';
import { createClient } from './client.ts';
import type { History, Hit, PublishTry } from './history.ts';
import type { Receivers } from './receivers.ts';
import type { Channel } from './scene.ts';
import { whenQueueEmpty, whenSettled } from './settle.ts';
import { check, readFacts } from './verdict.ts';

/** How long the restored stack may take to deliver what was pending, in ms. */
const SETTLE_MS = 60_000;
/** How long it may take until it accepts events, in ms. */
const ACCEPT_MS = 30_000;
const AGAIN_MS = 100;
const EVENTS = 10;

/** A round that is over, and the backup that was taken in its course. */
export interface Before {
  readonly dir: string;
  readonly backup: Backup;
  readonly facts: readonly RecordedFact[];
  readonly history: History;
  readonly channels: readonly Channel[];
  readonly receivers: Receivers;
}

export interface RestoredCounts {
  /** In the backup. */
  readonly facts: number;
  /** Deliveries that were not over in it. */
  readonly pending: number;
  /** POSTs of the restored stack. */
  readonly hits: number;
  /** Those of them that bring what had been delivered before, unknown to the backup. */
  readonly repeated: number;
}

export interface Restored {
  readonly violations: Violation[];
  readonly counts: RestoredCounts;
}

/** Restores the backup beside what it is of, which has stopped, starts it as `npm start` does, and checks what must hold of it. */
export async function checkRestored(before: Before): Promise<Restored> {
  const dataDir = join(before.dir, 'restored');
  const { code, stderr } = await runWith(SETTINGS, 'restore', dataDir, before.backup.file);
  if (code !== 0) return { violations: [violation('restore fails', { code, stderr })], counts: NOTHING };
  const hits: Hit[] = [];
  before.receivers.recordTo(hits);
  const startedMs = Date.now();
  const stack = await startStack({ dataDir, env: serviceEnv(before.dir) });
  let exit: number | undefined;
  const examining = examine(stack, before, hits, startedMs).finally(async () => {
    exit = await stack.stop();
  });
  const found = await examining;
  const violations = [
    ...found.violations,
    ...checkEndings(stack.output().split('\n'), { troubles: [] }),
    ...(exit === 0 ? [] : [violation('the restored stack does not stop well', exit)]),
  ];
  return { ...found, violations };
}

const NOTHING: RestoredCounts = { facts: 0, pending: 0, hits: 0, repeated: 0 };

async function examine(stack: Stack, before: Before, hits: Hit[], startedMs: number): Promise<Restored> {
  const { channels, backup } = before;
  const { eventstoreUrl = '', natsUrl = '' } = await stack.run();
  const client = createClient(stack.url);
  const settled = { dataDir: stack.dataDir, storeUrl: () => eventstoreUrl, natsUrl: () => natsUrl, client, channels };
  try {
    const publishes = await publishAnew(settled);
    const left = await whenAtRest(settled);
    const facts = await readFacts(settled);
    const held = facts.filter(({ recordedAtMs }) => recordedAtMs < startedMs);
    const past = pastOf(before.history, { beganMs: backup.beganMs, lastMs: held.at(-1)?.recordedAtMs ?? 0 });
    const history = { ...past, publishes: [...past.publishes, ...publishes], hits: [...past.hits, ...hits] };
    const { violations } = await check(settled, facts, history);
    violations.push(...checkBackup(held, before.facts), ...left);
    if (!publishes.some(({ status }) => status === 201))
      violations.push(violation('accepts nothing', publishes.at(-1)));
    if (violations.length > 0) writeFileSync(join(before.dir, 'history-restored.json'), JSON.stringify(history));
    const repeated = countDelivered(hits, before.facts);
    return { violations, counts: { facts: held.length, pending: countPending(held), hits: hits.length, repeated } };
  } finally {
    await client.close();
  }
}

function countPending(facts: readonly RecordedFact[]): number {
  return [...foldAll(facts).values()].flat().filter(({ status }) => status === 'pending').length;
}

/** How many of these POSTs bring what had been delivered according to the log. */
function countDelivered(hits: readonly Hit[], facts: readonly RecordedFact[]): number {
  const delivered = new Set(
    facts.flatMap(({ type, data }) =>
      type === 'DeliveryAttempted' && data.outcome === 'delivered' ? [`${data.event_id}-${data.webhook_id}`] : [],
    ),
  );
  return hits.filter(({ eventId, webhookId }) => delivered.has(`${eventId}-${webhookId}`)).length;
}

type Settling = Parameters<typeof check>[0] & { natsUrl: () => string };

async function whenAtRest(stack: Settling): Promise<Violation[]> {
  const store = connectEventStore(stack.storeUrl());
  const left = await whenSettled(stack, store, SETTLE_MS);
  await store.close();
  const messages = left ? -1 : await whenQueueEmpty(stack);
  return messages === 0 ? [] : [violation('the restored stack does not come to rest', { left, messages })];
}

/** Events that the restored stack accepts, by keys of before: their ids are larger than those of all before them. */
async function publishAnew({ client, channels: [channel] }: Settling): Promise<PublishTry[]> {
  const tries: PublishTry[] = [];
  const untilMs = performance.now() + ACCEPT_MS;
  for (let accepted = 0, n = 0; accepted < EVENTS && channel && performance.now() < untilMs; n++) {
    const ref = `restored-${n}`;
    const json = { event_name: 'chaos.restored', ext_ref_code: ref, data: { n } };
    const path = `/v1/channels/${channel.id}/events`;
    const answer = await client.call('POST', path, { key: channel.publisher_key, json });
    const { sentMs, endedMs, status, body } = answer;
    const id = status === 201 ? body.id : undefined;
    tries.push({ ref, channelId: channel.id, key: undefined, nth: 1, sentMs, endedMs, status, id });
    if (status === 201) accepted += 1;
    else await delay(AGAIN_MS);
  }
  return tries;
}
