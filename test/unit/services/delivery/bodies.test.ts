import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { stream } from '../../../../domain/facts.ts';
import { createReadModels, readModels, readModelWriter } from '../../../../projections/read-models.ts';
import { createBodies } from '../../../../services/delivery/bodies.ts';
import { CHANNEL_ID, published, recorded } from '../../../support/sample.ts';

const MIB = 1_024 * 1_024;

describe('bodies', () => {
  let db: DatabaseSync;
  beforeEach(() => {
    db = new DatabaseSync(':memory:');
    createReadModels(db);
  });
  afterEach(() => db.close());

  function bodiesOf(...events: ReturnType<typeof published>[]) {
    const facts = recorded(...events.map((event) => [stream.events(CHANNEL_ID), event] as const));
    readModelWriter(db).apply(facts, facts.at(-1)?.position ?? -1);
    return createBodies(readModels(db));
  }

  it('are what was published, absent fields left out', () => {
    const event = published({ data: { name: 'Zoë' } });
    const body = bodiesOf(event).get(event.data.id);
    expect(JSON.parse(body.toString())).to.deep.equal(event.data);
    expect(body.toString()).not.to.contain('ext_ref_code');
  });

  it('are read once for a fan-out', () => {
    const bodies = bodiesOf(published({ id: 1 }));
    expect(bodies.get(1)).to.equal(bodies.get(1));
  });

  it('are forgotten, the oldest first, before they take too much memory', () => {
    const large = { text: 'x'.repeat(1.5 * MIB) };
    const bodies = bodiesOf(...[1, 2, 3].map((id) => published({ id, data: large })));
    const [first, second] = [bodies.get(1), bodies.get(2)];
    bodies.get(3);
    expect(bodies.get(2)).to.equal(second);
    expect(bodies.get(1)).not.to.equal(first);
    expect(bodies.get(1)).to.deep.equal(first);
  });

  it('are there for every pending delivery: none is an error', () => {
    expect(() => bodiesOf().get(1)).to.throw('event 1 is not in the read models');
  });
});
