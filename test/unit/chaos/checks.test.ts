import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import type { RecordedFact } from '../../../domain/facts.ts';
import { createReadModels, readModelWriter } from '../../../projections/read-models.ts';
import { POLICY } from '../../chaos/chaos-stack.ts';
import { checkAccepted } from '../../chaos/checks/accepted.ts';
import { checkAnswers } from '../../chaos/checks/answers.ts';
import { checkDeliveries, foldAll } from '../../chaos/checks/deliveries.ts';
import { checkEndings } from '../../chaos/checks/endings.ts';
import { checkHits } from '../../chaos/checks/hits.ts';
import { checkNotificationLogs } from '../../chaos/checks/notification-logs.ts';
import { checkIds, checkLog } from '../../chaos/checks/order.ts';
import { checkReadModels } from '../../chaos/checks/read-models.ts';
import { checkBackup, pastOf } from '../../chaos/checks/restored.ts';
import type { Violation } from '../../chaos/checks/violation.ts';
import { type History, type Hit, newHistory, type PublishTry, type Trouble } from '../../chaos/history.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_ID,
  channelCreated,
  createLog,
  DELIVERED,
  EVENT_ID,
  iso,
  published,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
  webhookCreated,
} from '../../support/sample.ts';

const EVENTS = `events-${CHANNEL_ID}`;
const DELIVERIES = `deliveries-${CHANNEL_ID}`;
const WEBHOOK = `webhook-${WEBHOOK_ID}`;
const event = published({ ext_ref_code: 'r1' });
const delivered = attempted({ ...DELIVERED });
const failed = attempted({ outcome: 'failed', next_attempt_at: null, at: iso(AT_MS + POLICY.retryWindowMs) });

function logOf(...more: Parameters<ReturnType<typeof createLog>['add']>[]): RecordedFact[] {
  const log = createLog();
  log.add(`channel-${CHANNEL_ID}`, channelCreated());
  log.add(WEBHOOK, webhookCreated());
  for (const place of more) log.add(...place);
  return log.facts;
}

function publishTry(part: Partial<PublishTry> = {}): PublishTry {
  const answer = { sentMs: AT_MS, endedMs: AT_MS + 5, status: 201, id: EVENT_ID };
  return { ref: 'r1', channelId: CHANNEL_ID, key: undefined, nth: 1, ...answer, ...part };
}

function hit(part: Partial<Hit> = {}): Hit {
  const { atMs = AT_MS } = part;
  const whole = { eventId: EVENT_ID, webhookId: WEBHOOK_ID, path: `/${WEBHOOK_ID}`, status: 200, atMs };
  return { ...whole, timestampS: Math.floor(atMs / 1_000), body: JSON.stringify(event.data), ...part };
}

const KILLED = { part: 'delivery', what: 'kill -9 delivery', ended: 'killed' } as const;
const history = (part: Partial<History>): History => ({ ...newHistory(), ...part });
const rules = (violations: readonly Violation[]) => violations.map(({ rule }) => rule);
const hitRules = (part: Partial<History>, facts: RecordedFact[]) =>
  rules(checkHits(history(part), facts, foldAll(facts)).violations);

describe('the checker of the chaos suite', () => {
  it('finds nothing where nothing is wrong', () => {
    const facts = logOf([EVENTS, event], [DELIVERIES, delivered]);
    const past = history({ publishes: [publishTry()], hits: [hit()] });
    expect(rules(checkAccepted(past, facts))).to.deep.equal([]);
    expect(rules(checkIds(past))).to.deep.equal([]);
    expect(rules(checkLog(facts))).to.deep.equal([]);
    expect(rules(checkDeliveries(facts, foldAll(facts), POLICY))).to.deep.equal([]);
    expect(hitRules(past, facts)).to.deep.equal([]);
  });

  it('finds an accepted event that is lost, and one that is there twice', () => {
    const past = history({ publishes: [publishTry()] });
    expect(rules(checkAccepted(past, logOf()))).to.deep.equal(['accepted event lost']);
    const twice = logOf([EVENTS, event], [EVENTS, published({ ext_ref_code: 'r1', id: EVENT_ID + 1 })]);
    expect(rules(checkAccepted(past, twice))).to.deep.equal(['published twice', 'several ids for one event']);
    const refused = history({ publishes: [publishTry({ status: 503, id: undefined })] });
    expect(rules(checkAccepted(refused, logOf()))).to.deep.equal([]);
  });

  it('finds a 500, and a channel that is not found before anybody deleted it', () => {
    const answered = (status: number, changes: History['changes'] = []) =>
      rules(checkAnswers({ publishes: [publishTry({ status })], changes }));
    for (const status of [0, 201, 503]) expect(answered(status)).to.deep.equal([]);
    for (const status of [404, 500]) expect(answered(status)).to.deep.equal(['answer that nobody should get']);
    const deletion = { what: 'ChannelDeleted', id: CHANNEL_ID, sentMs: AT_MS, endedMs: AT_MS, status: 200 } as const;
    expect(answered(404, [deletion])).to.deep.equal([]);
  });

  it('finds an id that does not increase', () => {
    const later = publishTry({ ref: 'r2', sentMs: AT_MS + 10, endedMs: AT_MS + 15, id: EVENT_ID });
    expect(rules(checkIds(history({ publishes: [publishTry(), later] })))).to.deep.equal(['id does not increase']);
  });

  it('finds a fact that the log has twice, and a gap in a stream', () => {
    const facts = logOf([EVENTS, event]);
    const last = facts.at(-1) as RecordedFact;
    expect(rules(checkLog([...facts, { ...last, revision: 1, position: last.position + 10 }]))).to.deep.equal([
      'one fact twice',
    ]);
    expect(rules(checkLog(facts.with(-1, { ...last, revision: 1 })))).to.deep.equal(['gap in a stream']);
  });

  it('finds a delivery that is never over, and an attempt against the retry rule', () => {
    const never = logOf([EVENTS, event]);
    expect(rules(checkDeliveries(never, foldAll(never), POLICY))).to.deep.equal(['delivery is never over']);
    const early = logOf([EVENTS, event], [DELIVERIES, attempted({ outcome: 'failed', next_attempt_at: null })]);
    expect(rules(checkDeliveries(early, foldAll(early), POLICY))).to.deep.equal(['attempt against the retry rule']);
  });

  it('takes a POST without an answer and its second try for one attempt, and no other two', () => {
    const facts = logOf([EVENTS, event], [DELIVERIES, delivered]);
    const lost = hit({ status: null });
    const again = hit({ atMs: AT_MS + 1, isSecondTry: true });
    expect(hitRules({ hits: [lost, again] }, facts)).to.deep.equal([]);
    const UNKNOWN = 'POST that is not in the log';
    expect(hitRules({ hits: [lost, { ...again, isSecondTry: false }] }, facts)).to.include(UNKNOWN);
    expect(hitRules({ hits: [{ ...lost, status: 500 }, again] }, facts)).to.include(UNKNOWN);
    expect(hitRules({ hits: [{ ...lost, timestampS: 1 }, again] }, facts)).to.include(UNKNOWN);
    expect(hitRules({ hits: [lost, { ...lost, isSecondTry: true }, again] }, facts)).to.include(UNKNOWN);
  });

  it('finds a POST after failed, and one after success that no crash explains', () => {
    const afterFailed = logOf([EVENTS, event], [DELIVERIES, failed], [DELIVERIES, delivered]);
    const first = hit({ atMs: AT_MS + POLICY.retryWindowMs, status: 500 });
    const second = hit({ atMs: first.atMs + 5_000, timestampS: AT_MS / 1_000 });
    expect(hitRules({ hits: [first, second] }, afterFailed)).to.deep.equal(['POST after the end']);

    const once = logOf([EVENTS, event], [DELIVERIES, delivered]);
    const hits = [hit(), hit({ atMs: AT_MS + 3_000 })];
    expect(hitRules({ hits }, once)).to.deep.equal(['POST that is not in the log', 'POST after the end']);
    const crash = { ...KILLED, fromMs: AT_MS + 1_000, toMs: AT_MS + 1_500 } as const;
    const again = logOf(
      [EVENTS, event],
      [DELIVERIES, { ...delivered, data: { ...delivered.data, at: iso(AT_MS + 3_000) } }],
    );
    expect(hitRules({ hits, troubles: [crash] }, again)).to.deep.equal([]);
    expect(checkHits(history({ hits, troubles: [crash] }), again, foldAll(again)).counts).to.include({
      duplicates: 1,
      unrecorded: 1,
    });
  });

  it('finds a POST that is repeated although the log had its record before delivery died', () => {
    const second = { ...delivered, data: { ...delivered.data, at: iso(AT_MS + 3_000) } };
    const facts = logOf([EVENTS, event], [DELIVERIES, delivered], [DELIVERIES, second]);
    const hits = [hit(), hit({ atMs: AT_MS + 3_000 })];
    const recordedMs = facts.at(-2)?.recordedAtMs ?? 0;
    const before = { ...KILLED, fromMs: recordedMs - 1, toMs: recordedMs + 500 };
    const after = { ...KILLED, fromMs: recordedMs + 1, toMs: recordedMs + 500 };
    expect(hitRules({ hits, troubles: [before] }, facts)).to.deep.equal([]);
    expect(hitRules({ hits, troubles: [after] }, facts)).to.deep.equal(['POST after the end']);
    expect(hitRules({ hits }, facts)).to.deep.equal(['POST after the end']);
  });

  it('wants a death of its own for each of several POSTs after the end', () => {
    const facts = logOf(
      [EVENTS, event],
      [DELIVERIES, { ...delivered, data: { ...delivered.data, at: iso(AT_MS + 6_000) } }],
    );
    const hits = [hit(), hit({ atMs: AT_MS + 3_000 }), hit({ atMs: AT_MS + 6_000 })];
    const deathAt = (ms: number) => ({ ...KILLED, fromMs: AT_MS + ms, toMs: AT_MS + ms + 500 });
    const found = (...troubles: Trouble[]) => hitRules({ hits, troubles }, facts);
    expect(found(deathAt(1_000), deathAt(4_000))).to.deep.equal([]);
    expect(found(deathAt(1_000))).to.include('POST after the end');
    expect(found(deathAt(4_000))).to.include('POST after the end');
  });

  it('takes an order to stop for a death only where delivery could not record what it had POSTed', () => {
    const facts = logOf(
      [EVENTS, event],
      [DELIVERIES, { ...delivered, data: { ...delivered.data, at: iso(AT_MS + 3_000) } }],
    );
    const hits = [hit(), hit({ atMs: AT_MS + 3_000 })];
    const told = { ...KILLED, ended: 'told', fromMs: AT_MS + 1_000, toMs: AT_MS + 1_500 } as const;
    const away = { part: 'eventstore', what: 'network to store: freeze', fromMs: AT_MS, toMs: AT_MS + 2_000 } as const;
    expect(hitRules({ hits, troubles: [told] }, facts)).to.include('POST after the end');
    expect(hitRules({ hits, troubles: [told, away] }, facts)).to.deep.equal([]);
  });

  it('counts duplicates by what made them, and apart where there was a backlog before', () => {
    const facts = logOf(
      [EVENTS, event],
      [DELIVERIES, { ...delivered, data: { ...delivered.data, at: iso(AT_MS + 3_000) } }],
    );
    const hits = [hit(), hit({ atMs: AT_MS + 3_000 })];
    const counts = (...troubles: Trouble[]) => checkHits(history({ hits, troubles }), facts, foldAll(facts)).counts;
    const died = { ...KILLED, fromMs: AT_MS + 100, toMs: AT_MS + 600 };
    const earlier = { ...KILLED, part: 'eventstore', fromMs: AT_MS - 9_000, toMs: AT_MS - 3_000 } as const;
    const causes = { [KILLED.what]: 1 };
    expect(counts(died)).to.deep.include({ duplicates: 1, backlogged: 0, causes });
    expect(counts(died, earlier)).to.deep.include({ duplicates: 1, backlogged: 1, causes });
  });

  it('finds a POST after its webhook was deleted, unless the read models had a reason to lag', () => {
    const facts = logOf([EVENTS, event], [WEBHOOK, WEBHOOK_DELETED], [DELIVERIES, delivered]);
    const late = hit({ atMs: AT_MS + 8_000, timestampS: AT_MS / 1_000 });
    expect(hitRules({ hits: [late] }, facts)).to.deep.equal(['POST after cancelled']);
    const lag = { part: 'projector+relay', what: 'SIGSTOP', fromMs: AT_MS, toMs: AT_MS + 9_000 } as const;
    expect(hitRules({ hits: [late], troubles: [lag] }, facts)).to.deep.equal([]);
  });

  it('finds an attempt that no receiver saw, a POST to a webhook that is not meant, and another body', () => {
    const facts = logOf([EVENTS, event], [DELIVERIES, delivered]);
    expect(hitRules({ hits: [] }, facts)).to.deep.equal(['attempt that no receiver saw']);
    expect(hitRules({ hits: [hit({ status: 500 })] }, facts)).to.include('attempt that no receiver saw');
    expect(hitRules({ hits: [hit(), hit({ webhookId: 7 })] }, facts)).to.include('POST that the log does not call for');
    expect(hitRules({ hits: [hit({ body: '{}' })] }, facts)).to.deep.equal(['POST of something else']);
  });

  it('finds a process that ended by itself', () => {
    const ended = (name: string, how: string) => `${iso(AT_MS)} ${name} ended (${how}), starting it again`;
    const ends = (lines: string[], troubles: Trouble[] = []) => rules(checkEndings(lines, { troubles }));
    expect(ends([ended('delivery', 'by SIGKILL'), ended('nats-server', 'with code 1'), 'x'])).to.deep.equal([]);
    for (const how of ['with code 0', 'with code 1', 'by SIGTERM']) {
      expect(ends([ended('delivery', how)])).to.deep.equal(['a process ended badly']);
    }
    const told = {
      part: 'delivery',
      what: 'SIGTERM delivery',
      ended: 'told',
      fromMs: AT_MS - 100,
      toMs: AT_MS,
    } as const;
    expect(ends([ended('delivery', 'with code 0')], [told])).to.deep.equal([]);
    for (const how of ['with code 1', 'by SIGTERM']) {
      expect(ends([ended('delivery', how)], [told]), how).to.deep.equal(['a process ended badly']);
    }
    const killed = { ...KILLED, fromMs: AT_MS - 900, toMs: AT_MS - 500 };
    expect(ends([ended('delivery', 'by SIGTERM')], [killed, told]), 'it was only starting').to.deep.equal([]);
    const forced = `${iso(AT_MS)} delivery did not stop in 17 s: killing it`;
    expect(ends([forced], [told])).to.deep.equal(['a process ended badly']);
  });

  it('finds a process that does not stop in 20 s, not counting the time in which it was stopped', () => {
    const told = {
      part: 'gateway',
      what: 'SIGTERM gateway',
      ended: 'told',
      fromMs: AT_MS,
      toMs: AT_MS + 21_000,
    } as const;
    const found = (...troubles: Trouble[]) => rules(checkEndings([], { troubles: [told, ...troubles] }));
    expect(found()).to.deep.equal(['does not stop in time']);
    const stopped = { part: 'gateway', what: 'SIGSTOP gateway', fromMs: AT_MS, toMs: AT_MS + 2_000 } as const;
    expect(found(stopped)).to.deep.equal([]);
    expect(found({ ...stopped, part: 'delivery' })).to.deep.equal(['does not stop in time']);
  });

  it('finds what a backup has lost, changed or made up', () => {
    const log = logOf([EVENTS, event], [DELIVERIES, delivered]);
    expect(rules(checkBackup(log.slice(0, -1), log))).to.deep.equal([]);
    const [first, , ...rest] = log as [RecordedFact, RecordedFact, ...RecordedFact[]];
    const other = { ...first, recordedAtMs: first.recordedAtMs + 1 };
    const more = logOf([EVENTS, event], [DELIVERIES, delivered], [DELIVERIES, failed]);
    for (const held of [[first, ...rest], log.with(0, other), more]) {
      expect(rules(checkBackup(held, log))).to.deep.equal(['backup differs from the log']);
    }
  });

  describe('of a stack that was restored from a backup', () => {
    const held = logOf([EVENTS, event]);
    const lastMs = held.at(-1)?.recordedAtMs ?? 0;
    const backup = { beganMs: lastMs, lastMs };
    const LATER_MS = lastMs + 60_000;
    const again = { ...delivered, data: { ...delivered.data, at: iso(LATER_MS) } };
    /** The restored stack's log and hits after a past that ends with the backup. */
    function restoredRules(past: Partial<History>, log: RecordedFact[], ...hits: Hit[]) {
      const known = pastOf(history(past), backup);
      return hitRules({ ...known, hits: [...known.hits, ...hits] }, log);
    }

    it('finds an event lost that was accepted before, and not one that was accepted later', () => {
      const lost = (endedMs: number) =>
        rules(checkAccepted(pastOf(history({ publishes: [publishTry({ endedMs })] }), backup), logOf()));
      expect(lost(lastMs - 1)).to.deep.equal(['accepted event lost']);
      expect(lost(lastMs + 1)).to.deep.equal([]);
    });

    it('lets it repeat what was POSTed after the backup, once', () => {
      const log = logOf([EVENTS, event], [DELIVERIES, again]);
      const afterwards = hit({ atMs: lastMs + 50 });
      expect(restoredRules({ hits: [afterwards] }, log, hit({ atMs: LATER_MS }))).to.deep.equal([]);
      const twice = restoredRules({}, log, hit({ atMs: LATER_MS }), hit({ atMs: LATER_MS + 900 }));
      expect(twice).to.include('POST after the end');
    });

    it('lets it repeat what was POSTed before and not recorded in it, and nothing that was', () => {
      const before = hit({ atMs: AT_MS });
      const log = logOf([EVENTS, event], [DELIVERIES, again]);
      expect(restoredRules({ hits: [before] }, log, hit({ atMs: LATER_MS }))).to.deep.equal([]);
      const knew = logOf([EVENTS, event], [DELIVERIES, delivered], [DELIVERIES, again]);
      const known = pastOf(history({ hits: [before] }), { beganMs: AT_MS, lastMs: knew.at(-2)?.recordedAtMs ?? 0 });
      expect(hitRules({ ...known, hits: [before, hit({ atMs: LATER_MS })] }, knew)).to.deep.equal([
        'POST after the end',
      ]);
    });
  });

  it('finds a row of the read models that differs', () => {
    const facts = logOf([EVENTS, event], [DELIVERIES, delivered]);
    using db = new DatabaseSync(':memory:');
    createReadModels(db);
    readModelWriter(db).apply(facts, facts.at(-1)?.position ?? -1);
    expect(rules(checkReadModels(db, facts))).to.deep.equal([]);
    db.exec('UPDATE deliveries SET due_ms = 1');
    expect(rules(checkReadModels(db, facts))).to.deep.equal([
      'row missing in deliveries',
      'row too many in deliveries',
    ]);
  });

  it('finds an answer of the API that differs from the fold', async () => {
    const facts = logOf([EVENTS, event], [DELIVERIES, delivered]);
    const folds = foldAll(facts);
    const ask = (answer: unknown) => checkNotificationLogs([EVENT_ID], folds, async () => answer);
    expect(rules(await ask(folds.get(EVENT_ID)))).to.deep.equal([]);
    expect(rules(await ask([]))).to.deep.equal(['notification log differs from the fold']);
  });
});
