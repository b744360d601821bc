import { expect } from 'chai';
import { FORMER_SUBJECT, subjectOfShard } from '../../../../infra/queue/shards.ts';
import { subjectOfSlot } from '../../../../infra/queue/tiers.ts';
import { createWaitMeter, createWaits } from '../../../../infra/queue/waits.ts';

describe('how long messages wait until a worker takes them', () => {
  let nowMs: number;
  beforeEach(() => {
    nowMs = 1_000_000;
  });

  describe('measured by a worker', () => {
    const meterNow = () => createWaitMeter(() => nowMs);
    /** A message that was put on the queue so many ms ago. */
    const message = (agoMs: number, { subject = subjectOfShard(3), redelivered = false } = {}) => ({
      ...{ subject, redelivered },
      info: { timestampNanos: (nowMs - agoMs) * 1e6 },
    });

    it('is that of the message that waited longest, and tells how many there were', () => {
      const meter = meterNow();
      for (const agoMs of [20, 700, 30]) {
        meter.handed(message(agoMs));
        meter.taken();
      }
      expect(meter.told()).to.deep.equal({ lagMs: 700, handedOut: 3 });
    });

    it('grows while a message that was handed out finds no room', () => {
      const meter = meterNow();
      meter.handed(message(20, { subject: FORMER_SUBJECT }));
      nowMs += 4_000;
      expect(meter.told().lagMs).to.equal(4_020);
      nowMs += 1_000;
      meter.taken();
      expect(meter.told().lagMs).to.equal(5_020);
    });

    it('is told twice, and then is over', () => {
      const meter = meterNow();
      meter.handed(message(700));
      meter.taken();
      nowMs += 10_000;
      expect([meter.told(), meter.told(), meter.told()].map(({ lagMs }) => lagMs)).to.deep.equal([700, 700, 0]);
    });

    it('is nothing for what comes again, or has waited for its time, which is handed out all the same', () => {
      const meter = meterNow();
      meter.handed(message(60_000, { redelivered: true }));
      meter.taken();
      meter.handed(message(3_600_000, { subject: subjectOfSlot(7) }));
      meter.taken();
      expect(meter.told()).to.deep.equal({ lagMs: 0, handedOut: 2 });
    });
  });

  describe('as all workers tell', () => {
    const waitsNow = () => createWaits(() => nowMs);

    it('is not known where none tells, or none has told lately', () => {
      const waits = waitsNow();
      expect(waits.now()).to.equal(undefined);
      waits.hear({ worker: 'a', lagMs: 5, handedOut: 1 });
      nowMs += 3_000;
      expect(waits.now()).to.deep.equal({ lagMs: 5, handedOut: 1 });
      nowMs += 1;
      expect(waits.now()).to.equal(undefined);
    });

    it('is the longest of any, and what they were handed is counted together', () => {
      const waits = waitsNow();
      waits.hear({ worker: 'a', lagMs: 5, handedOut: 10 });
      waits.hear({ worker: 'b', lagMs: 900, handedOut: 7 });
      waits.hear({ worker: 'a', lagMs: 6, handedOut: 12 });
      expect(waits.now()).to.deep.equal({ lagMs: 900, handedOut: 19 });
    });

    it('never counts less than before: a worker that goes, or comes anew, takes nothing back', () => {
      const waits = waitsNow();
      waits.hear({ worker: 'a', lagMs: 5, handedOut: 10 });
      waits.hear({ worker: 'b', lagMs: 5, handedOut: 10 });
      nowMs += 2_000;
      waits.hear({ worker: 'b', lagMs: 0, handedOut: 11 });
      nowMs += 2_000;
      expect(waits.now()).to.deep.equal({ lagMs: 0, handedOut: 21 });
      waits.hear({ worker: 'b', lagMs: 0, handedOut: 2 });
      expect(waits.now()).to.deep.equal({ lagMs: 0, handedOut: 21 });
    });
  });
});
