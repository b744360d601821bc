import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { createReadModels } from '../../../projections/read-models.ts';
import { tablesIn } from '../../../projections/tables.ts';

describe("the read models' tables", () => {
  let db: DatabaseSync;
  beforeEach(() => {
    db = new DatabaseSync(':memory:');
  });
  afterEach(() => db.close());

  it('are none in an empty database', () => {
    expect(tablesIn(db, createReadModels)).to.equal('none');
  });

  it("are today's once they are made", () => {
    createReadModels(db);
    expect(tablesIn(db, createReadModels)).to.equal('todays');
  });

  for (const change of [
    'ALTER TABLE events ADD COLUMN more TEXT',
    'DROP INDEX deliveries_due',
    'DROP TABLE ended_channels',
    'CREATE TABLE of_long_ago (x)',
  ]) {
    it(`are others after ${change}`, () => {
      createReadModels(db);
      db.exec(change);
      expect(tablesIn(db, createReadModels)).to.equal('others');
    });
  }
});
