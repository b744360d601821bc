import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import fc from 'fast-check';
import { stream } from '../../../domain/facts.ts';
import type { PlacedEvent } from '../../../projections/feed.ts';
import { LOOKED_AT } from '../../../projections/part.ts';
import { createReadModels, readModels, readModelWriter } from '../../../projections/read-models.ts';
import { CHANNEL_ID, channelCreated, createLog, published, WEBHOOK_ID, webhookCreated } from '../../support/sample.ts';

const WEBHOOK = { id: WEBHOOK_ID, channel_id: CHANNEL_ID };

describe('the feed of a webhook', () => {
  let db: DatabaseSync;
  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    createReadModels(db);
  });
  afterEach(() => db.close());

  /** Ids as several gateways make them: their order is not that of the log. */
  const ids = fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { maxLength: 30 });

  it('has each event once, in the order of the log, however it grows while it is read', () => {
    fc.assert(
      fc.property(ids, fc.array(fc.nat(4)), fc.integer({ min: 1, max: 4 }), (order, growth, limit) => {
        using fresh = new DatabaseSync(':memory:');
        createReadModels(fresh);
        const writer = readModelWriter(fresh);
        const { feed } = readModels(fresh);
        const log = createLog();
        let applied = 0;
        const grow = (count: number) => {
          const facts = log.facts.slice(applied, applied + count);
          applied += facts.length;
          if (facts.length > 0) writer.apply(facts, facts.at(-1)?.position as number);
        };
        log.add(stream.channel(CHANNEL_ID), channelCreated());
        log.add(stream.webhook(WEBHOOK_ID), webhookCreated());
        for (const id of order) log.add(stream.events(CHANNEL_ID), published({ id }));
        const seen: number[] = [];
        const inChannel: PlacedEvent[] = [];
        let position = -1;
        for (const count of [2, ...growth, order.length, ...order.map(() => 0), 0]) {
          grow(count);
          const part = feed.behind(WEBHOOK, position, limit);
          seen.push(...part.found.map(({ event }) => event.id));
          inChannel.push(...feed.behindInChannel(CHANNEL_ID, position, limit).found);
          ({ position } = part);
        }
        expect(seen).to.deep.equal(order);
        expect(inChannel.map(({ event }) => event.id)).to.deep.equal(order);
        const places = inChannel.map(({ position }) => position);
        expect(places).to.deep.equal([...new Set(places)].sort((a, b) => a - b));
        expect(feed.behind(WEBHOOK, position, limit)).to.deep.equal({ found: [], position, isEnd: true });
        expect(feed.newestIn(CHANNEL_ID)).to.equal(order.length > 0 ? position : -1);
      }),
    );
  });

  it('begins where the webhook was created, and passes over what is not its own, so much at a time', () => {
    const log = createLog();
    log.add(stream.channel(CHANNEL_ID), channelCreated());
    for (let id = 1; id <= LOOKED_AT + 1; id++) log.add(stream.events(CHANNEL_ID), published({ id }));
    const created = log.add(stream.webhook(WEBHOOK_ID), webhookCreated());
    const own = log.add(stream.events(CHANNEL_ID), published({ id: LOOKED_AT + 2 }));
    readModelWriter(db).apply(log.facts, own.position);
    const { feed } = readModels(db);
    const part = feed.behind(WEBHOOK, -1, 1);
    expect(part).to.deep.include({ found: [], isEnd: false });
    for (const after of [part.position, created.position]) {
      const { found, isEnd } = feed.behind(WEBHOOK, after, 1);
      expect({ ids: found.map(({ event }) => event.id), isEnd }).to.deep.equal({ ids: [LOOKED_AT + 2], isEnd: true });
    }
  });

  it('of a channel goes past what operational webhooks are told', () => {
    const log = createLog();
    log.add(stream.channel(CHANNEL_ID), channelCreated());
    log.add(stream.events(CHANNEL_ID), published({ id: 1 }));
    const told = log.add(stream.events(CHANNEL_ID), published({ id: 2, kind: 'operational' }));
    readModelWriter(db).apply(log.facts, told.position);
    const { found, position, isEnd } = readModels(db).feed.behindInChannel(CHANNEL_ID, -1, 10);
    expect(found.map(({ event }) => event.id)).to.deep.equal([1]);
    expect({ position, isEnd }).to.deep.equal({ position: told.position, isEnd: true });
  });
});
