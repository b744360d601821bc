import { expect } from 'chai';
import fc from 'fast-check';
import { createLanes, type Lanes } from '../../../../services/delivery/lanes.ts';

const ROOM = 1_000;

describe('lanes', () => {
  let nowMs: number;
  let lanes: Lanes;
  beforeEach(() => {
    nowMs = 1_000;
    lanes = createLanes(ROOM, () => nowMs);
  });

  /** Begins attempts until there is no room; returns how to end them. */
  function fill(webhook: number) {
    const leave: ((answered: boolean) => void)[] = [];
    while (lanes.waitMs(webhook) === 0) leave.push(lanes.enter(webhook));
    return leave;
  }
  function endAll(leave: readonly ((answered: boolean) => void)[], answered: boolean, durationMs = 10) {
    nowMs += durationMs;
    for (const end of leave) end(answered);
  }
  /** Ends all attempts of a webhook like this, again and again, and returns how many have room then. */
  function limitAfter(webhook: number, answered: boolean, rounds = 20): number {
    for (let round = 0; round < rounds; round++) endAll(fill(webhook), answered);
    const leave = fill(webhook);
    for (const end of leave) end(answered);
    return leave.length;
  }

  it('have room for a few attempts at a webhook that is not known yet', () => {
    expect(fill(1)).to.have.length(16);
  });

  it('grow with every answer, up to a limit', () => {
    endAll(fill(1).slice(0, 4), true);
    expect(fill(1).length).to.be.above(4);
    expect(limitAfter(2, true)).to.equal(64);
  });

  it('halve with every attempt that got no answer, but never close', () => {
    const [end] = fill(1);
    end?.(false);
    expect(lanes.waitMs(1)).to.be.above(0);
    expect(limitAfter(2, false)).to.equal(4);
  });

  it('open again when a webhook answers again', () => {
    expect(limitAfter(1, false)).to.equal(4);
    expect(limitAfter(1, true)).to.equal(64);
  });

  it('of one webhook take nothing from another', () => {
    fill(1);
    expect(lanes.waitMs(2)).to.equal(0);
  });

  it('of all webhooks that fail take a share of the room together, and leave the rest to those that answer', () => {
    for (let webhook = 1; webhook <= 200; webhook++) limitAfter(webhook, false, 1);
    limitAfter(1_000, true, 1);
    let failing = 0;
    for (let webhook = 1; webhook <= 200; webhook++) failing += fill(webhook).length;
    expect(failing).to.equal(ROOM / 4);
    expect(fill(1_000).length).to.be.above(15);
  });

  it('of many webhooks that answered and now hang leave most of the room, long before their time is up', () => {
    for (let webhook = 1; webhook <= 300; webhook++) limitAfter(webhook, true, 1);
    let hanging = 0;
    for (let event = 0; event < 15_000; event++) {
      nowMs += 1;
      const webhook = (event % 300) + 1;
      if (event % 3 > 0 || lanes.waitMs(webhook) > 0) continue;
      lanes.enter(webhook);
      hanging += 1;
    }
    expect(hanging).to.be.below(ROOM * 0.7);
    expect(limitAfter(1_000, true)).to.equal(64);
  });

  it('stay as wide as they are while answers come, though one of them hangs', () => {
    limitAfter(1, true);
    lanes.enter(1);
    for (let round = 0; round < 300; round++) endAll(fill(1), true);
    expect(fill(1)).to.have.length(63);
  });

  it('of all webhooks that are not known yet take a share of the room together', () => {
    let taken = 0;
    for (let webhook = 1; webhook <= 200; webhook++) taken += fill(webhook).length;
    expect(taken).to.equal(ROOM / 4);
  });

  it('hand out turns one after the other, each behind what is under way', () => {
    fill(1);
    const turns = Array.from({ length: 200 }, () => lanes.waitMs(1));
    expect(turns).to.deep.equal([...turns].sort((a, b) => a - b));
    expect(turns[0]).to.be.at.least(20);
    expect(turns.at(-1)).to.be.above(turns[0] as number);
  });

  it('hand out later turns for a webhook that is known to be slow, or hangs', () => {
    fill(1);
    const first = lanes.waitMs(1);
    fill(2);
    nowMs += 500;
    expect(lanes.waitMs(2)).to.be.at.least(500).and.above(first);
  });

  it('hand out no turn so late that a webhook which answers again would wait for long', () => {
    fill(1);
    nowMs += 15_000;
    const turns = Array.from({ length: 10_000 }, () => lanes.waitMs(1));
    expect(Math.max(...turns.slice(0, 250))).to.be.at.most(1_000);
    expect(turns.at(-1)).to.be.at.most(40_000);
  });

  it('hand out turns that are at no time more than the queue can bear', () => {
    fill(1);
    fill(2);
    nowMs += 15_000;
    const due = new Map<number, number>();
    for (let message = 0; message < 10_000; message++) {
      nowMs += 0.5;
      const second = Math.floor((nowMs + lanes.waitMs((message % 2) + 1)) / 1_000);
      due.set(second, (due.get(second) ?? 0) + 1);
    }
    expect(Math.max(...due.values())).to.be.at.most(1_000);
  });

  it('forget the turns of a webhook that hung once it answers: those who come later do not stand behind them', () => {
    const hanging = fill(1);
    for (let message = 0; message < 1_000; message++) lanes.waitMs(1);
    endAll(hanging, false, 15_000);
    endAll(fill(1), true);
    fill(1);
    expect(lanes.waitMs(1)).to.be.below(100);
  });

  it('are all free again once every attempt has ended', () => {
    const attempt = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean(), fc.nat(50));
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 200 }), (attempts) => {
        const ours = createLanes(40, () => nowMs);
        const underWay: (() => void)[] = [];
        for (const [webhook, answered, tookMs] of attempts) {
          nowMs += tookMs;
          if (ours.waitMs(webhook) > 0) underWay.shift()?.();
          else {
            const leave = ours.enter(webhook);
            underWay.push(() => leave(answered));
          }
        }
        for (const end of underWay) end();
        for (const webhook of [1, 2, 3, 4, 5, 6]) expect(ours.waitMs(webhook)).to.equal(0);
      }),
    );
  });
});
