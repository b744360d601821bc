import { expect } from 'chai';
import fc from 'fast-check';
import { createIds, factId, firstIdAt, followingId, ID_EPOCH_MS, idTimeMs, timeOrdered } from '../../../domain/ids.ts';
import { AT_MS } from '../../support/sample.ts';

const node = fc.integer({ min: 0, max: 31 });
/** What a clock may show one reading after the other: it runs, stands still, and is stepped back. */
const readings = fc
  .constantFrom(0, 2, 5_000)
  .chain((range) => fc.array(fc.integer({ min: AT_MS - range, max: AT_MS + range }), { minLength: 2, maxLength: 300 }));

function idsOf(nodeNumber: number, clock: readonly number[], floor = 0): number[] {
  let reading = 0;
  const next = createIds(nodeNumber, () => clock[reading++ % clock.length] ?? 0, floor);
  return clock.map(() => next());
}

function expectIncreasing(ids: readonly number[]) {
  for (const [index, id] of ids.entries()) {
    expect(id).to.satisfy(Number.isSafeInteger);
    if (index > 0) expect(id).to.be.above(ids[index - 1] as number);
  }
}

describe('ids', () => {
  it('increase whatever the clock does, and stay safe integers', () => {
    fc.assert(fc.property(node, readings, (number, clock) => expectIncreasing(idsOf(number, clock))));
  });

  it('of a time are those from its first id on, of whatever node', () => {
    fc.assert(
      fc.property(node, (number) => {
        const id = createIds(number, () => AT_MS)();
        expect(id).to.be.within(firstIdAt(AT_MS), firstIdAt(AT_MS + 1) - 1);
      }),
    );
    expect(firstIdAt(ID_EPOCH_MS - 1)).to.equal(0);
    expect(firstIdAt(8.64e15)).to.equal(Number.MAX_SAFE_INTEGER);
  });

  it('never meet those of another node', () => {
    fc.assert(
      fc.property(node, node, readings, readings, (a, b, clockA, clockB) => {
        fc.pre(a !== b);
        const ofA = new Set(idsOf(a, clockA));
        expect(idsOf(b, clockB).filter((id) => ofA.has(id))).to.deep.equal([]);
      }),
    );
  });

  it('go on above a floor, also where the clock stands before it', () => {
    fc.assert(
      fc.property(node, readings, fc.integer({ min: 0, max: 2 ** 52 }), (number, clock, floor) => {
        const ids = idsOf(number, clock, floor);
        expect(ids[0]).to.be.above(floor);
        expectIncreasing(ids);
      }),
    );
  });

  it('go on when more are asked for than a millisecond has', () => {
    const next = createIds(0, () => AT_MS);
    const ids = Array.from({ length: 1_000 }, next);
    expectIncreasing(ids);
    expect(idTimeMs(ids[0] as number)).to.equal(AT_MS);
  });

  it('tell when they were made', () => {
    expect(idTimeMs(createIds(31, () => AT_MS)())).to.equal(AT_MS);
    expect(idTimeMs(createIds(0, () => ID_EPOCH_MS + 1)())).to.equal(ID_EPOCH_MS + 1);
  });

  it('fit into 53 bits until 2094', () => {
    const next = createIds(31, () => Date.parse('2094-09-01T00:00:00Z'));
    const ids = Array.from({ length: 127 }, next);
    expect(ids.at(-1)).to.be.at.most(Number.MAX_SAFE_INTEGER);
    expectIncreasing(ids);
  });
});

describe('ids that follow from the log', () => {
  it('increase, are of the time that they are asked for, and are never those that a node makes', () => {
    const made = new Set(
      [0, 1, 31].flatMap((node) =>
        Array.from(
          { length: 300 },
          createIds(node, () => AT_MS),
        ),
      ),
    );
    const ids: number[] = [];
    for (let count = 0; count < 100; count++) ids.push(followingId(ids.at(-1) ?? 0, AT_MS));
    expectIncreasing(ids);
    expect(ids.slice(0, 32).map(idTimeMs)).to.deep.equal(Array(32).fill(AT_MS));
    expect(ids.filter((id) => made.has(id))).to.deep.equal([]);
  });

  it('go on from the last one where time has stood still or gone back', () => {
    const last = followingId(0, AT_MS);
    expect(followingId(last, AT_MS - 1_000)).to.be.above(last);
    expect(idTimeMs(followingId(last, AT_MS + 5))).to.equal(AT_MS + 5);
  });
});

describe('fact ids', () => {
  const TYPES = ['ChannelCreated', 'WebhookCreated', 'EventPublished', 'RequestAccepted', 'GuidReserved'] as const;
  const id = fc.maxSafeNat();

  it('are UUIDs of version 8', () => {
    const uuidV8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    fc.assert(fc.property(fc.constantFrom(...TYPES), id, (type, of) => uuidV8.test(factId(type, of))));
    expect(factId('EventPublished', Number.MAX_SAFE_INTEGER)).to.match(uuidV8);
  });

  it('stay what they are: repeated appends are recognised by them', () => {
    expect(factId('ChannelCreated', 1)).to.equal('77656268-0000-8001-a000-000000000001');
    expect(factId('EventPublished', 0x12345678abcdef)).to.equal('77656268-1234-8003-a000-005678abcdef');
  });

  it('are others for what happens again at another revision', () => {
    const revisions = fc.uniqueArray(fc.nat(2 ** 20 - 1), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(id, revisions, (of, revisions) => {
        const all = revisions.map((after) => factId('WebhookPaused', of, after));
        expect(new Set(all).size).to.equal(revisions.length);
        for (const made of all) expect(made).to.match(/^77656268-[0-9a-f]{4}-800b-a[0-9a-f]{3}-[0-9a-f]{12}$/);
      }),
    );
  });

  it('are the same for the same thing, and others for other things', () => {
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 2, maxLength: 20 }), (ids) => {
        const all = ids.flatMap((of) => TYPES.map((type) => factId(type, of)));
        expect(new Set(all).size).to.equal(ids.length * TYPES.length);
        expect(ids.flatMap((of) => TYPES.map((type) => factId(type, of)))).to.deep.equal(all);
      }),
    );
  });
});

describe('time-ordered UUIDs', () => {
  const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });

  it('are of version 7, and in the order of their times', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), time, time, (one, other, oneMs, otherMs) => {
        const [a, b] = [timeOrdered(one, oneMs), timeOrdered(other, otherMs)];
        expect(a).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
        if (oneMs !== otherMs) expect(a < b).to.equal(oneMs < otherMs);
      }),
    );
  });

  it('keep what is random about them', () => {
    expect(timeOrdered('c8c0c0f2-1f4e-4b8e-9a3d-0123456789ab', 0x0192_3456_789a)).to.equal(
      '01923456-789a-7b8e-9a3d-0123456789ab',
    );
  });
});
