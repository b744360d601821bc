import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { type RecordedFact, stream } from '../../../domain/facts.ts';
import { createReadModels, readModels, readModelWriter } from '../../../projections/read-models.ts';
import {
  attempted,
  CHANNEL_DELETED,
  CHANNEL_ID,
  channelCreated,
  createLog,
  DELIVERED,
  EVENT_ID,
  erasureFinished,
  erasureRequested,
  eventsErased,
  type Place,
  published,
  RECOVERY_ID,
  recoveryRequested,
  redeliveryRequested,
  streamsErased,
  WEBHOOK_ID,
  webhookCreated,
  webhookUpdated,
} from '../../support/sample.ts';

const OTHER = CHANNEL_ID + 1;
const OTHER_HOOK = WEBHOOK_ID + 100;
const OPERATIONAL = WEBHOOK_ID + 1;
const LATE_HOOK = WEBHOOK_ID + 200;
const ERASURE = stream.erasure(CHANNEL_ID);
const OWN = [
  ...[stream.channel(CHANNEL_ID), stream.events(CHANNEL_ID), stream.deliveries(CHANNEL_ID)],
  ...[stream.webhook(WEBHOOK_ID), stream.webhook(OPERATIONAL), stream.webhook(LATE_HOOK), stream.recovery(RECOVERY_ID)],
];

/** All that a channel may have, what comes too late, and another channel beside it. */
const BEFORE: Place[] = [
  [stream.channel(CHANNEL_ID), channelCreated({ guid: 'ours' })],
  [stream.channel(OTHER), channelCreated({ id: OTHER })],
  [stream.webhook(WEBHOOK_ID), webhookCreated()],
  [stream.webhook(OTHER_HOOK), webhookCreated({ id: OTHER_HOOK, channel_id: OTHER })],
  [stream.webhook(OPERATIONAL), webhookCreated({ id: OPERATIONAL, kind: 'operational' })],
  [stream.events(CHANNEL_ID), published()],
  [stream.events(OTHER), published({ id: EVENT_ID + 1, channel_id: OTHER })],
  [stream.deliveries(CHANNEL_ID), attempted()],
  [stream.deliveries(OTHER), attempted({ event_id: EVENT_ID + 1, webhook_id: OTHER_HOOK, ...DELIVERED })],
  [stream.events(CHANNEL_ID), redeliveryRequested()],
  [stream.recovery(RECOVERY_ID), recoveryRequested()],
  [stream.channel(CHANNEL_ID), CHANNEL_DELETED],
];
const LATE: Place[] = [
  [stream.deliveries(CHANNEL_ID), attempted()],
  [stream.events(CHANNEL_ID), published({ id: EVENT_ID + 2 })],
  [stream.webhook(WEBHOOK_ID), webhookUpdated()],
  [stream.webhook(LATE_HOOK), webhookCreated({ id: LATE_HOOK })],
  [stream.recovery(RECOVERY_ID + 1), recoveryRequested({ id: RECOVERY_ID + 1 })],
];

function rowsOf(facts: readonly RecordedFact[], atATime = facts.length) {
  const db = new DatabaseSync(':memory:');
  createReadModels(db);
  const writer = readModelWriter(db);
  for (let n = 0; n < facts.length; n += atATime) {
    const batch = facts.slice(n, n + atATime);
    writer.apply(batch, batch.at(-1)?.position ?? -1);
  }
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  const rowsIn = (name: unknown) =>
    db
      .prepare(`SELECT * FROM ${name}`)
      .all()
      .map((row) => JSON.stringify(row))
      .sort();
  const rows = tables.map(({ name }) => [name, rowsIn(name)]);
  return { rows: JSON.stringify(rows, undefined, 1), models: readModels(db) };
}

/** A log with an erasure that has come so far. */
function logOf(...places: readonly Place[]) {
  const log = createLog();
  for (const place of [...BEFORE, [ERASURE, erasureRequested()] as const, ...places]) log.add(...place);
  return log;
}

const isErased = ({ stream: name }: RecordedFact) => OWN.includes(name);

describe('the read models of an erased channel', () => {
  const steps: Place[] = [
    [ERASURE, eventsErased(EVENT_ID + 1)],
    [ERASURE, eventsErased(EVENT_ID + 3)],
    [ERASURE, streamsErased({ streams: OWN.map((name) => ({ stream: name, before: 1 })), up_to: 1_000 })],
    [ERASURE, erasureFinished()],
  ];

  it('are the same with and without the facts that are erased, whatever they are read with', () => {
    for (const places of [
      steps,
      [...LATE.slice(0, 4), ...steps],
      [...steps.slice(0, 2), ...LATE.slice(0, 4), ...steps.slice(2)],
    ]) {
      const { facts } = logOf(...places);
      const left = facts.filter((fact) => !isErased(fact));
      const { rows } = rowsOf(facts);
      expect(rows).to.equal(rowsOf(left).rows);
      expect(rows).to.equal(rowsOf(facts, 1).rows);
      // Some streams are truncated before others.
      for (const gone of OWN)
        expect(rows, gone).to.equal(rowsOf(facts.filter(({ stream: name }) => name !== gone)).rows);
    }
  });

  it('hold nothing of it but that it was erased, and what its key is told by', () => {
    const { facts } = logOf(...steps);
    const { models, rows } = rowsOf(facts);
    expect(rows).to.not.match(/subscriber\.example\/2001|Orders.*1001|"ours"/);
    expect(models.channels.byId(CHANNEL_ID)).to.equal(undefined);
    expect(models.channels.byGuid('ours')).to.equal(undefined);
    expect(models.channels.endedById(CHANNEL_ID)).to.include({ status: 'erased', key_version: 1 });
    expect(models.erasures.byChannel(CHANNEL_ID)).to.include({ status: 'finished' });
    expect(models.erasures.unfinished()).to.equal(undefined);
    expect(models.events.byId(OTHER, EVENT_ID + 1)?.id).to.equal(EVENT_ID + 1);
    expect(models.deliveries.notificationLog(EVENT_ID + 1, { limit: 10 })).to.have.length(1);
    const { hour } = models.stats.ofWebhook(WEBHOOK_ID, facts[0]?.recordedAtMs ?? 0);
    expect(hour.attempts).to.equal(0);
  });

  it('know which streams are yet to be erased, also those that come late', () => {
    const asked = rowsOf(logOf().facts).models.erasures;
    expect(asked.unfinished()).to.equal(CHANNEL_ID);
    expect(asked.left(CHANNEL_ID).sort()).to.deep.equal(
      OWN.filter((name) => name !== stream.webhook(LATE_HOOK)).sort(),
    );
    expect(asked.nextBelow(CHANNEL_ID)).to.equal(EVENT_ID + 1);
    expect(asked.nextBelow(OTHER)).to.equal(EVENT_ID + 2);
    const late = rowsOf(logOf(...steps, ...LATE).facts).models.erasures;
    expect(late.unfinished()).to.equal(CHANNEL_ID);
    expect(late.left(CHANNEL_ID).sort()).to.deep.equal(LATE.map(([name]) => name).sort());
    expect(late.nextBelow(CHANNEL_ID)).to.equal(undefined);
  });

  it('never let an id be given again', () => {
    expect(rowsOf(logOf(...steps).facts).models.erasures.largestId()).to.equal(RECOVERY_ID);
  });
});
