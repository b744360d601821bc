import { expect } from 'chai';
import fc from 'fast-check';
import { shardOf, subjectOfShard } from '../../../../infra/queue/shards.ts';
import { DUPLICATE_WINDOW_MS } from '../../../../infra/queue/stream.ts';
import { slotAt, subjectAt, subjectOfSlot, TIERS } from '../../../../infra/queue/tiers.ts';

const HOUR_MS = 3_600_000;
const { slots, slotMs, longMs } = TIERS;
const time = fc.integer({ min: -HOUR_MS, max: 4_000_000_000_000 });

describe('slots of long waits', () => {
  it('are there for each time, one after the other', () => {
    fc.assert(
      fc.property(time, (ms) => {
        const slot = slotAt(ms, TIERS);
        expect(slot).to.be.within(0, slots - 1);
        expect(slotAt(ms + slotMs, TIERS)).to.equal((slot + 1) % slots);
      }),
    );
  });

  it('hold all times of the same piece of time, and no others until it is their turn again', () => {
    const inPiece = fc.integer({ min: 0, max: slotMs - 1 });
    fc.assert(
      fc.property(
        fc.nat(20_000_000),
        inPiece,
        inPiece,
        fc.integer({ min: 1, max: slots - 1 }),
        (piece, a, b, later) => {
          const at = (ms: number) => slotAt(piece * slotMs + ms, TIERS);
          expect(at(a)).to.equal(at(b));
          expect(at(a)).to.not.equal(at(b + later * slotMs));
        },
      ),
    );
  });

  it('are never filled with an hour’s waits while they fall due, nor just before or after', () => {
    fc.assert(
      fc.property(time, (nowMs) => {
        const filled = slotAt(nowMs + HOUR_MS, TIERS);
        for (const ms of [-slotMs, 0, slotMs]) expect(filled).to.not.equal(slotAt(nowMs + ms, TIERS));
      }),
    );
  });

  it('are for long waits alone', () => {
    fc.assert(
      fc.property(fc.nat(), time, fc.integer({ min: -HOUR_MS, max: 48 * HOUR_MS }), (webhookId, nowMs, waitMs) => {
        const dueMs = nowMs + waitMs;
        const expected = waitMs > longMs ? subjectOfSlot(slotAt(dueMs, TIERS)) : subjectOfShard(shardOf(webhookId));
        expect(subjectAt(webhookId, dueMs, nowMs, TIERS)).to.equal(expected);
      }),
    );
  });

  it('get no message id again before the stream has forgotten it', () => {
    expect(longMs).to.be.at.least(DUPLICATE_WINDOW_MS);
  });
});
