import { expect } from 'chai';
import fc from 'fast-check';
import { createSlots } from '../../../infra/slots.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('slots', () => {
  it('are there without waiting while there is room', () => {
    const slots = createSlots(2);
    expect([slots.acquire(), slots.acquire()]).to.deep.equal([undefined, undefined]);
    expect(slots.taken()).to.equal(2);
    expect(slots.acquire()).to.be.instanceOf(Promise);
    expect(slots.taken()).to.equal(2);
  });

  it('are given to those who wait, in their order', async () => {
    const slots = createSlots(1);
    const order: number[] = [];
    slots.acquire();
    for (const n of [1, 2, 3]) void slots.acquire()?.then(() => order.push(n));
    slots.release();
    await settled();
    expect(order).to.deep.equal([1]);
    slots.release();
    slots.release();
    await settled();
    expect(order).to.deep.equal([1, 2, 3]);
    expect(slots.taken()).to.equal(1);
  });

  it('tell everybody when no work is left', async () => {
    const slots = createSlots(1);
    await slots.whenIdle();
    slots.acquire();
    void slots.acquire();
    let told = 0;
    for (const waiting of [slots.whenIdle(), slots.whenIdle()]) void waiting.then(() => told++);
    slots.release();
    await settled();
    expect(told).to.equal(0);
    slots.release();
    await settled();
    expect(told).to.equal(2);
    await slots.whenIdle();
  });

  it('never let more work go on than there are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(3), { maxLength: 30 }), async (size, works) => {
        const slots = createSlots(size);
        let most = 0;
        let now = 0;
        const done = works.map(async (turns) => {
          await slots.acquire();
          now += 1;
          most = Math.max(most, now);
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
          now -= 1;
          slots.release();
        });
        await Promise.all(done);
        await slots.whenIdle();
        expect(most).to.be.at.most(size);
        expect(slots.taken()).to.equal(0);
      }),
    );
  });
});
