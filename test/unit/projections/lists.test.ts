import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import fc from 'fast-check';
import type { DeliveryStatus } from '../../../domain/delivery.ts';
import { stream } from '../../../domain/facts.ts';
import { LOOKED_AT } from '../../../projections/part.ts';
import { createReadModels, type ReadModels, readModels, readModelWriter } from '../../../projections/read-models.ts';
import {
  attempted,
  CHANNEL_ID,
  channelCreated,
  createLog,
  DELIVERED,
  type Place,
  published,
  WEBHOOK_DELETED,
  WEBHOOK_ID,
  webhookCreated,
} from '../../support/sample.ts';

const LATE = WEBHOOK_ID + 1;
const ENDED = WEBHOOK_ID + 2;
const EVENTS = stream.events(CHANNEL_ID);
const FAILED = { outcome: 'failed', next_attempt_at: null } as const;
const WEBHOOK = { id: WEBHOOK_ID, channel_id: CHANNEL_ID };

const attemptOn = (part: Parameters<typeof attempted>[0]): Place => [stream.deliveries(CHANNEL_ID), attempted(part)];

describe('lists', () => {
  let db: DatabaseSync;
  let models: ReadModels;
  let log: ReturnType<typeof createLog>;
  beforeEach(() => {
    log = createLog();
    db = new DatabaseSync(':memory:');
    createReadModels(db);
    models = readModels(db);
  });
  afterEach(() => db.close());

  const apply = (...places: Place[]) => {
    for (const place of places) log.add(...place);
    readModelWriter(db).apply(log.facts, log.facts.at(-1)?.position ?? -1);
  };
  /** Every page, by following `next`. */
  function pages<T>(part: (after: number | undefined) => { items: readonly T[]; next: number | undefined }) {
    const found: (readonly T[])[] = [];
    let after: number | undefined;
    do {
      const { items, next } = part(after);
      found.push(items);
      after = next;
    } while (after !== undefined);
    return found;
  }

  const NAMES = ['order.created', 'order.paid', 'never'];
  const REFS = ['a', 'b', undefined];
  const STATUSES: readonly DeliveryStatus[] = ['pending', 'delivered', 'failed', 'cancelled'];

  /** An event: its name, reference and what became of it at two webhooks. */
  const event = fc.record({
    event_name: fc.constantFrom(...NAMES.slice(0, 2)),
    ext_ref_code: fc.constantFrom(...REFS),
    became: fc.tuple(fc.constantFrom(...STATUSES), fc.constantFrom(...STATUSES)),
  });
  const filter = fc.record(
    {
      event_name: fc.constantFrom(...NAMES),
      ext_ref_code: fc.constantFrom(...REFS),
      status: fc.constantFrom(...STATUSES),
      from: fc.integer({ min: 0, max: 40 }),
      below: fc.integer({ min: 0, max: 40 }),
    },
    { requiredKeys: [] },
  );

  it('show exactly what the filters let pass, newest first, whatever the size of a page', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), filter, fc.integer({ min: 1, max: 5 }), (past, asked, limit) => {
        using fresh = new DatabaseSync(':memory:');
        createReadModels(fresh);
        const log = createLog();
        log.add(stream.channel(CHANNEL_ID), channelCreated());
        for (const id of [WEBHOOK_ID, LATE, ENDED]) log.add(stream.webhook(id), webhookCreated({ id }));
        past.forEach(({ event_name, ext_ref_code }, index) => {
          log.add(EVENTS, published({ id: index + 1, event_name, ...(ext_ref_code && { ext_ref_code }) }));
        });
        past.forEach(({ became }, index) => {
          became.forEach((status, nth) => {
            if (status === 'pending' || status === 'cancelled') return;
            const part = { event_id: index + 1, webhook_id: [WEBHOOK_ID, LATE][nth] as number };
            log.add(...attemptOn({ ...part, ...(status === 'failed' ? FAILED : DELIVERED) }));
          });
        });
        const isCancelled = past.some(({ became }) => became.includes('cancelled'));
        if (isCancelled) for (const id of [WEBHOOK_ID, LATE]) log.add(stream.webhook(id), WEBHOOK_DELETED);
        readModelWriter(fresh).apply(log.facts, 1e6);
        const statusOf = (status: DeliveryStatus) => (status === 'pending' && isCancelled ? 'cancelled' : status);

        const { from = 0, below = 1e6, event_name, ext_ref_code, status } = asked;
        const { lists } = readModels(fresh);
        const inRange = past
          .map(({ became, ...fields }, index) => ({ id: index + 1, became: became.map(statusOf), ...fields }))
          .filter(({ id }) => id >= from && id < below)
          .filter((one) => event_name === undefined || one.event_name === event_name)
          .toReversed();
        const shown = inRange
          .filter((one) => ext_ref_code === undefined || one.ext_ref_code === ext_ref_code)
          // The third webhook has every event pending.
          .filter(({ became }) => status === undefined || [...became, 'pending'].includes(status));
        const events = pages((after) => lists.events(CHANNEL_ID, asked, { from, below, after, limit }));
        expect(events.flat().map(({ id }) => id)).to.deep.equal(shown.map(({ id }) => id));
        for (const page of events.slice(0, -1)) expect(page).to.have.length(limit);

        const own = inRange.filter(({ became }) => status === undefined || became[0] === status);
        const deliveries = pages((after) => lists.deliveries(WEBHOOK, asked, { from, below, after, limit }));
        expect(deliveries.flat().map(({ delivery }) => delivery.event_id)).to.deep.equal(own.map(({ id }) => id));
        for (const { delivery, ...of } of deliveries.flat()) {
          const one = past[delivery.event_id - 1];
          expect(of).to.deep.include({ event_name: one?.event_name, ext_ref_code: one?.ext_ref_code });
        }
      }),
      { numRuns: 300 },
    );
  });

  describe('of very many', () => {
    const MANY = 2 * LOOKED_AT + 500;
    const ids = Array.from({ length: MANY }, (_, n) => n + 1);

    beforeEach(() => {
      apply(
        [stream.channel(CHANNEL_ID), channelCreated()],
        ...ids.map((id): Place => [EVENTS, published({ id, event_name: id === 1 ? 'rare' : 'common' })]),
        [stream.webhook(WEBHOOK_ID), webhookCreated()],
        ...ids.map((id): Place => [EVENTS, published({ id: MANY + id, event_name: 'late', ext_ref_code: 'all' })]),
        ...ids.map((id): Place => attemptOn({ event_id: MANY + id, ...(id === 1 ? FAILED : DELIVERED) })),
      );
    });

    it('find what is rare at once, by any one filter', () => {
      const rare = { items: [published({ id: 1, event_name: 'rare' }).data], next: undefined };
      expect(models.lists.events(CHANNEL_ID, { event_name: 'rare' }, { limit: 1 })).to.deep.equal(rare);
      const { items, next } = models.lists.events(CHANNEL_ID, { status: 'failed' }, { limit: 1 });
      expect({ ids: items.map(({ id }) => id), next }).to.deep.equal({ ids: [MANY + 1], next: undefined });
      for (const filter of [{ status: 'failed' }, { status: 'failed', event_name: 'late' }] as const) {
        const found = models.lists.deliveries(WEBHOOK, filter, { limit: 1 });
        expect(found.items.map(({ delivery }) => delivery.event_id)).to.deep.equal([MANY + 1]);
        expect(found.next).to.equal(undefined);
      }
    });

    it('do not look for what was published before the webhook had any', () => {
      expect(models.lists.deliveries(WEBHOOK, { event_name: 'common' }, { limit: 1 })).to.deep.equal({
        ...{ items: [], next: undefined },
      });
    });

    it('look at no more than so many for a page where several filters are given, and say where to go on', () => {
      const asked = { ext_ref_code: 'all', status: 'failed' } as const;
      const found = pages((after) => models.lists.events(CHANNEL_ID, asked, { after, limit: 1 }));
      expect(found.map((page) => page.map(({ id }) => id))).to.deep.equal([[], [], [MANY + 1]]);
    });

    it('take a part of a page where events are large', () => {
      const MiB = 1_024 * 1_024;
      const data = { text: 'x'.repeat(MiB) };
      const large = ids.slice(0, 10).map((id): Place => [EVENTS, published({ id: 3 * MANY + id, data })]);
      apply(...large);
      const found = pages((after) => models.lists.events(CHANNEL_ID, {}, { from: 3 * MANY, after, limit: 250 }));
      expect(found.map(({ length }) => length)).to.deep.equal([4, 4, 2]);
    });
  });

  describe('and every other query', () => {
    function plans(): string[] {
      const asked: string[] = [];
      const spy = { prepare: (sql: string) => asked.push(sql) && db.prepare(sql) } as unknown as DatabaseSync;
      readModels(spy);
      return asked.flatMap((sql) => {
        const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as unknown as { detail: string }[];
        return steps.map(({ detail }) => detail);
      });
    }

    it('go by an index, and sort nothing but sums', () => {
      expect(plans()).to.have.length.greaterThan(20);
      for (const step of plans()) {
        expect(step).to.not.match(/SCAN (?!checkpoint|CONSTANT|\w+ VIRTUAL TABLE)|TEMP B-TREE FOR (?!GROUP BY)/);
      }
    });

    it('go by all that is asked for that the index knows', () => {
      const INDEXES = [
        'events_by_channel (channel_id=? AND id>? AND id<?)',
        'events_by_name (channel_id=? AND event_name=? AND id>? AND id<?)',
        'events_by_ref (channel_id=? AND ext_ref_code=? AND id>? AND id<?)',
        'events_in_order (channel_id=? AND position>? AND position<?)',
        'deliveries_by_channel (channel_id=? AND status=? AND event_id>? AND event_id<?)',
        'deliveries_by_webhook (webhook_id=? AND status=? AND event_id>? AND event_id<?)',
      ];
      for (const index of INDEXES)
        expect(
          plans().some((step) => step.endsWith(index)),
          index,
        ).to.equal(true);
    });
  });
});
