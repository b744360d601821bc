import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { type RecordedFact, stream } from '../../../domain/facts.ts';
import { createReadModels, readModels, readModelWriter } from '../../../projections/read-models.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_ID,
  channelCreated,
  createLog,
  DELIVERED,
  EVENT_ID,
  eventsExpired,
  HOUR_MS,
  iso,
  type Place,
  published,
  streamsTruncated,
  WEBHOOK_ID,
  webhookCreated,
} from '../../support/sample.ts';

const EVENTS = stream.events(CHANNEL_ID);
const DELIVERIES = stream.deliveries(CHANNEL_ID);
const FAILING = WEBHOOK_ID + 1;
const OPERATIONAL = WEBHOOK_ID + 2;
const [FIRST, SECOND, THIRD] = [EVENT_ID, EVENT_ID + 1, EVENT_ID + 2];

/** Two webhooks, one of which fails all the time. The second event waits for a retry when the first expires, and the third is new. */
const BEFORE: Place[] = [
  [stream.channel(CHANNEL_ID), channelCreated()],
  [stream.webhook(WEBHOOK_ID), webhookCreated()],
  [stream.webhook(FAILING), webhookCreated({ id: FAILING })],
  [stream.webhook(OPERATIONAL), webhookCreated({ id: OPERATIONAL, kind: 'operational' })],
  [EVENTS, published({ id: FIRST })],
  [DELIVERIES, attempted({ event_id: FIRST, ...DELIVERED })],
  [
    DELIVERIES,
    attempted({ event_id: FIRST, webhook_id: FAILING, at: iso(AT_MS), outcome: 'failed', next_attempt_at: null }),
  ],
  [EVENTS, published({ id: SECOND })],
  [DELIVERIES, attempted({ event_id: SECOND, ...DELIVERED })],
  [DELIVERIES, attempted({ event_id: SECOND, webhook_id: FAILING, at: iso(AT_MS + HOUR_MS) })],
  [EVENTS, published({ id: THIRD })],
  [DELIVERIES, attempted({ event_id: THIRD, ...DELIVERED })],
];
const failing = [{ webhook_id: FAILING, since: iso(AT_MS) }];

function modelsOf(facts: readonly RecordedFact[]) {
  const db = new DatabaseSync(':memory:');
  createReadModels(db);
  const writer = readModelWriter(db);
  for (const fact of facts) writer.apply([fact], fact.position);
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  const rowsIn = (name: unknown) =>
    db
      .prepare(`SELECT * FROM ${name}`)
      .all()
      .map((row) => JSON.stringify(row))
      .sort();
  return {
    models: readModels(db),
    rows: JSON.stringify(
      tables.map(({ name }) => [name, rowsIn(name)]),
      undefined,
      1,
    ),
  };
}

function logOf(...places: readonly Place[]): RecordedFact[] {
  const log = createLog();
  for (const place of [...BEFORE, ...places]) log.add(...place);
  return log.facts;
}

/** Without what a truncation has taken: revisions below these. */
const truncated = (facts: readonly RecordedFact[], before: Readonly<Record<string, number>>) =>
  facts.filter((fact) => fact.revision >= (before[fact.stream] ?? 0));

const recordedAt = (facts: readonly RecordedFact[], nth: number) =>
  iso(facts.filter(({ stream: name }) => name === DELIVERIES)[nth]?.recordedAtMs ?? 0);

describe('read models of which events expire', () => {
  it('drop them with their deliveries, but those that are not over', () => {
    const { models } = modelsOf(logOf([stream.retention, eventsExpired(THIRD, [SECOND])]));
    expect(models.events.byId(CHANNEL_ID, FIRST)).to.equal(undefined);
    expect(models.deliveries.notificationLog(FIRST, { limit: 9 })).to.deep.equal([]);
    for (const id of [SECOND, THIRD]) expect(models.deliveries.notificationLog(id, { limit: 9 })).to.have.length(2);
    expect(models.lists.events(CHANNEL_ID, {}, { limit: 9 }).items.map(({ id }) => id)).to.deep.equal([THIRD, SECOND]);
    expect(models.expiries.channelAfter(0)).to.equal(CHANNEL_ID);
    expect(models.expiries.largestId()).to.equal(SECOND);
  });

  it('say which events are old and over, and which are not', () => {
    const { models } = modelsOf(logOf());
    expect(models.expiries.oldest(0, THIRD)).to.deep.equal({ from: 0, below: THIRD, kept: [SECOND], count: 2 });
    expect(models.expiries.oldest(SECOND, THIRD)).to.deep.equal({
      from: SECOND,
      below: THIRD,
      kept: [SECOND],
      count: 1,
    });
    expect(models.expiries.oldest(0, FIRST)).to.equal(undefined);
    expect(models.expiries.failing(CHANNEL_ID)).to.deep.equal(failing);
  });

  it('are the same with and without what was truncated, a webhook that still fails, and counts, among it', () => {
    const places: Place[] = [[stream.retention, eventsExpired(THIRD, [SECOND])]];
    const cut = { [EVENTS]: 1, [DELIVERIES]: 2 };
    const counted_until = recordedAt(logOf(), 1);
    const facts = logOf(...places, [stream.retention, streamsTruncated({ counted_until, failing })]);
    const { rows, models } = modelsOf(facts);
    expect(rows).to.equal(modelsOf(truncated(facts, cut)).rows);
    expect(rows).to.equal(modelsOf(truncated(facts, { [EVENTS]: 1 })).rows);
    expect(rows).to.equal(modelsOf(truncated(facts, { [DELIVERIES]: 2 })).rows);
    expect(models.health.failingSince(FAILING)).to.equal(iso(AT_MS));
    expect(models.expiries.channelAfter(0)).to.equal(undefined);
  });

  it('go on in the same way behind that', () => {
    const more: Place[] = [
      [stream.retention, eventsExpired(THIRD, [SECOND])],
      [stream.retention, streamsTruncated({ counted_until: recordedAt(logOf(), 1), failing })],
      [DELIVERIES, attempted({ event_id: SECOND, webhook_id: FAILING, ...DELIVERED })],
      [DELIVERIES, attempted({ event_id: FIRST, ...DELIVERED })],
      [stream.retention, eventsExpired(THIRD + 1)],
    ];
    const facts = logOf(...more);
    const end: Place = [stream.retention, streamsTruncated({ counted_until: recordedAt(facts, 6) })];
    const all = logOf(...more, end);
    const { rows, models } = modelsOf(all);
    expect(rows).to.equal(modelsOf(truncated(all, { [EVENTS]: 3, [DELIVERIES]: 7 })).rows);
    expect(rows).to.equal(modelsOf(truncated(all, { [EVENTS]: 2, [DELIVERIES]: 3 })).rows);
    expect(models.health.failingSince(FAILING)).to.equal(null);
  });
});
