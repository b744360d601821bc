import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { stream } from '../../../../domain/facts.ts';
import { Unusable } from '../../../../services/derived-file.ts';
import { createRegistry, openRegistry, type Registry } from '../../../../services/relay/registry.ts';
import {
  CHANNEL_DELETED,
  CHANNEL_ID,
  type Place,
  published,
  recorded,
  WEBHOOK_DELETED,
  webhookCreated,
  webhookUpdated,
} from '../../../support/sample.ts';

const created = (id: number, channel_id = CHANNEL_ID): Place => [
  stream.webhook(id),
  webhookCreated({ id, channel_id }),
];

describe('relay registry', () => {
  let db: DatabaseSync;
  let registry: Registry;
  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    createRegistry(db);
    registry = openRegistry(db);
  });
  afterEach(() => db.close());

  const applyAll = (...places: Place[]) => {
    for (const fact of recorded(...places)) registry.apply(fact);
  };
  const idsOf = (channel_id = CHANNEL_ID, event_name = 'order.created', position = 1_000_000) => [
    ...registry.webhookIds(published({ channel_id, event_name }).data, position),
  ];

  it('starts before the first fact, knowing no broker', () => {
    expect(registry.position()).to.equal(-1);
    expect(registry.broker()).to.include({ incarnation: '', last_sequence: 0, server: '' });
  });

  it('is not made in a file with tables of another version', () => {
    db.exec('ALTER TABLE relay DROP COLUMN skipped_on');
    expect(() => createRegistry(db)).to.throw(Unusable);
  });

  it('knows the webhooks of a channel that live', () => {
    applyAll(created(1), created(2), created(3, CHANNEL_ID + 1), [stream.webhook(1), WEBHOOK_DELETED]);
    expect(idsOf()).to.deep.equal([2]);
    expect(idsOf(CHANNEL_ID + 1)).to.deep.equal([3]);
  });

  it('knows what it did before where a disk was full in between', () => {
    applyAll(created(1));
    db.exec('PRAGMA max_page_count = 1');
    registry.begin();
    expect(() => {
      for (let id = 2; id < 2_000; id++) applyAll(created(id));
    }).to.throw('database or disk is full');
    registry.rollback();
    expect(idsOf()).to.deep.equal([1]);
  });

  it('knows none of a channel that is deleted', () => {
    applyAll(created(1), [stream.channel(CHANNEL_ID), CHANNEL_DELETED], created(2));
    expect(idsOf()).to.deep.equal([]);
  });

  it('knows the webhooks that ask for an event at its place in the log', () => {
    applyAll(
      [stream.webhook(1), webhookCreated({ id: 1, event_names: ['order.*'] })],
      [stream.webhook(2), webhookCreated({ id: 2, event_names: ['order.created', 'user.created'] })],
      created(3),
      [stream.webhook(2), webhookUpdated({ event_names: ['user.created'] })],
      [stream.webhook(1), webhookUpdated({ event_names: null })],
    );
    expect(idsOf(CHANNEL_ID, 'order.created')).to.deep.equal([1, 3]);
    expect(idsOf(CHANNEL_ID, 'user.created')).to.deep.equal([1, 2, 3]);
  });

  it('has those looked up whose settings are of a place beyond that of the event', () => {
    applyAll([stream.webhook(1), webhookCreated({ id: 1, event_names: ['order.*'] })]);
    const [{ position = 0 } = {}] = recorded([stream.webhook(1), webhookUpdated()]);
    expect(idsOf(CHANNEL_ID, 'user.created', position - 1)).to.deep.equal([1]);
    expect(idsOf(CHANNEL_ID, 'user.created', position + 1)).to.deep.equal([]);
  });

  for (const count of [249, 250, 251, 601]) {
    it(`knows all of them, also ${count}`, () => {
      const ids = Array.from({ length: count }, (_, index) => index + 1);
      applyAll(...ids.map((id) => created(id)));
      expect(idsOf()).to.deep.equal(ids);
    });
  }

  it('keeps webhooks, place and sequence together', () => {
    registry.begin();
    applyAll(created(1));
    registry.commit(10, 5);
    registry.begin();
    applyAll(created(2));
    expect(idsOf()).to.deep.equal([1, 2]);
    registry.rollback();
    expect(idsOf()).to.deep.equal([1]);
    expect(registry.position()).to.equal(10);
    expect(registry.broker().last_sequence).to.equal(5);
  });

  it('keeps the sequence where nothing was queued, and forgets it with the broker', () => {
    registry.setBroker({ incarnation: 'first', last_sequence: 7, server: 'S' });
    registry.begin();
    registry.commit(10, undefined);
    expect(registry.broker()).to.include({ incarnation: 'first', last_sequence: 7 });
    registry.setBroker({ incarnation: 'second', last_sequence: 0, server: 'S' });
    expect(registry.broker()).to.include({ incarnation: 'second', last_sequence: 0 });
    expect(registry.position()).to.equal(10);
  });

  it('is still there when it is opened again', () => {
    registry.begin();
    applyAll(created(1));
    registry.commit(10, 5);
    registry = openRegistry(db);
    expect(registry.position()).to.equal(10);
    expect(idsOf()).to.deep.equal([1]);
  });
});
