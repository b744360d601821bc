import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { pino } from 'pino';
import { type Fact, type RecordedFact, stream } from '../../../../domain/facts.ts';
import type { EventsRecovered } from '../../../../domain/recovery.ts';
import { WrongRevision } from '../../../../infra/event-store/errors.ts';
import { createReadModels, readModels, readModelWriter } from '../../../../projections/read-models.ts';
import { createRecoverer, type RecovererDeps } from '../../../../services/relay/recoverer.ts';
import { leading } from '../../../support/leading.ts';
import {
  AT_MS,
  attempted,
  CHANNEL_ID,
  createLog,
  DELIVERED,
  HOUR_MS,
  iso,
  published,
  RECOVERY_ID,
  recoveryRequested,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
  webhookCreated,
} from '../../../support/sample.ts';
import { waitFor } from '../../../support/wait.ts';

const RECOVERY = stream.recovery(RECOVERY_ID);
const DELIVERIES = stream.deliveries(CHANNEL_ID);
const EVENTS = 250;

describe('the recoverer', () => {
  let db: DatabaseSync;
  let log: ReturnType<typeof createLog>;
  let models: ReturnType<typeof readModels>;
  let untaken: number;
  let recoverers: ReturnType<typeof createRecoverer>[];

  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    createReadModels(db);
    models = readModels(db);
    log = createLog();
    untaken = 0;
    recoverers = [];
    add(stream.webhook(WEBHOOK_ID), webhookCreated());
    for (let id = 1; id <= EVENTS; id++) {
      add(stream.events(CHANNEL_ID), published({ id, published_at: iso(AT_MS - EVENTS + id - 1) }));
      add(DELIVERIES, attempted({ event_id: id, outcome: 'failed', next_attempt_at: null }));
    }
    add(RECOVERY, recoveryRequested());
  });
  afterEach(async () => {
    for (const recoverer of recoverers) await recoverer.stop();
    db.close();
  });

  function add(name: string, fact: Fact): RecordedFact {
    const recorded = log.add(name, fact);
    readModelWriter(db).apply([recorded], recorded.position);
    return recorded;
  }
  const found = () =>
    log.facts.filter((fact): fact is RecordedFact<EventsRecovered> => fact.type === 'EventsRecovered');
  const isFinished = () => log.facts.some(({ type }) => type === 'RecoveryFinished');

  /** Starts one over the log and the read models, both in step. */
  function start(more: Partial<RecovererDeps> = {}) {
    const ofStream = (name: string) => log.facts.filter((fact) => fact.stream === name);
    const store = {
      read: async (name: string) => ofStream(name),
      async append(name: string, facts: readonly Fact[], expected: number) {
        const actual = ofStream(name).length - 1;
        if (expected !== actual) throw new WrongRevision(name, actual);
        const [appended] = facts.map((fact) => add(name, fact));
        return { revision: appended?.revision, position: appended?.position };
      },
    };
    const recoverer = createRecoverer({
      ...{ store, readModels: models, log: pino({ enabled: false }), nowMs: () => AT_MS },
      queue: { state: async () => ({ untaken }) },
      progress: { reached: models.position },
      relay: { whenLeading: async (signal: AbortSignal) => leading(signal) },
      ...more,
    } as unknown as RecovererDeps);
    recoverers.push(recoverer);
    return recoverer.start();
  }

  /** Makes the attempts at what was found last. */
  function attemptAll() {
    for (const event_id of found().at(-1)?.data.failed ?? []) {
      add(DELIVERIES, attempted({ event_id, ...DELIVERED, trigger: 'redeliver', redelivery_id: RECOVERY_ID }));
    }
  }

  it('goes on only when all that it has found was attempted, and finishes after the last', async () => {
    await start();
    for (const count of [1, 2, 3]) {
      await waitFor('the next events', () => found().length === count);
      expect(isFinished()).to.equal(false);
      attemptAll();
    }
    await waitFor('its end', isFinished);
    expect(found().map(({ data }) => data.failed.length)).to.deep.equal([100, 100, 50]);
    expect(found().flatMap(({ data }) => data.failed)).to.deep.equal(Array.from({ length: EVENTS }, (_, n) => n + 1));
    expect(models.recoveries.running(0, 10)).to.deep.equal([]);
    expect(models.recoveries.byId(WEBHOOK_ID, RECOVERY_ID)?.found).to.deep.equal({ failed: EVENTS, missing: 0 });
  });

  it('is not doubled by another that takes itself for the leader too', async () => {
    await Promise.all([start(), start()]);
    for (const count of [1, 2, 3]) {
      await waitFor('the next events', () => found().length === count);
      attemptAll();
    }
    await waitFor('its end', isFinished);
    expect(found().flatMap(({ data }) => data.failed)).to.have.length(EVENTS);
    expect(log.facts.filter(({ type }) => type === 'RecoveryFinished')).to.have.length(1);
  });

  it('adds nothing while much waits for a worker, and ends where its webhook is gone', async () => {
    untaken = 1_001;
    await start();
    add(stream.webhook(WEBHOOK_ID), WEBHOOK_DELETED);
    untaken = 0;
    await waitFor('its end', isFinished);
    expect(found()).to.deep.equal([]);
  });

  it('passes over what is older than RETENTION', async () => {
    await start({ retentionMs: HOUR_MS });
    await waitFor('its end', isFinished);
    expect(found()).to.deep.equal([]);
  });
});
