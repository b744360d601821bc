import { expect } from 'chai';
import { SHARDS } from '../../../../infra/queue/shards.ts';
import { createRoster, type Roster } from '../../../../infra/queue/workers.ts';

describe('the roster of a worker', () => {
  let nowMs: number;
  let roster: Roster;
  let changes: number;
  beforeEach(() => {
    nowMs = 0;
    changes = 0;
    roster = createRoster('self', () => nowMs);
    roster.onChange(() => {
      changes += 1;
    });
  });

  const here = (worker: string) => roster.hear({ worker, isLeaving: false });
  const share = () => roster.shards().size;
  /** As time goes by, second after second. */
  function pass(seconds: number, { isConnected = true, speaking = [] as string[] } = {}) {
    for (let s = 0; s < seconds; s++) {
      nowMs += 1_000;
      for (const worker of speaking) here(worker);
      roster.beat(isConnected);
    }
  }

  it('has all shards for one that is alone', () => {
    expect(share()).to.equal(SHARDS);
    expect(roster.has(12_345)).to.equal(true);
  });

  it('divides them with whoever is heard, and says whether that one is new', () => {
    expect(here('other')).to.equal(true);
    expect(here('other')).to.equal(false);
    expect(here('self')).to.equal(false);
    expect([share(), changes]).to.deep.equal([SHARDS / 2, 1]);
  });

  it('takes over at once from one that says it leaves, and within seconds from one that says nothing more', () => {
    here('leaving');
    here('silent');
    roster.hear({ worker: 'leaving', isLeaving: true });
    expect(share()).to.equal(SHARDS / 2);
    pass(5);
    expect(share()).to.equal(SHARDS / 2);
    pass(1);
    expect(share()).to.equal(SHARDS);
  });

  it('is settled where nobody has come or gone for minutes, and from the beginning where nobody ever did', () => {
    expect(roster.isSettled()).to.equal(true);
    here('other');
    pass(180, { speaking: ['other'] });
    expect(roster.isSettled()).to.equal(false);
    pass(1, { speaking: ['other'] });
    expect(roster.isSettled()).to.equal(true);
    roster.hear({ worker: 'other', isLeaving: true });
    expect(roster.isSettled()).to.equal(false);
  });

  it('takes nobody for gone whom it could not hear: while it was not connected, or stood still', () => {
    here('other');
    pass(20, { isConnected: false });
    expect(share()).to.equal(SHARDS / 2);
    nowMs += 60_000;
    roster.beat(true);
    expect(share()).to.equal(SHARDS / 2);
    pass(6);
    expect(share()).to.equal(SHARDS);
  });
});
