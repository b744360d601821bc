import { expect } from 'chai';
import { createExcuse, createReaderLag } from '../../../services/gateway/lag.ts';

const LOOK_MS = 50;

/** What is told at the last of looks over `forMs`, while so many positions a ms are written and read. */
function tell(lag: ReturnType<typeof createReaderLag>) {
  let atMs = 0;
  let written = 0;
  let reached = 0;
  return {
    go(forMs: number, writtenPerMs: number, reachedPerMs: number): number | undefined {
      let waitMs: number | undefined;
      for (const untilMs = atMs + forMs; atMs < untilMs; ) {
        atMs += LOOK_MS;
        written += writtenPerMs * LOOK_MS;
        reached = Math.min(written, reached + reachedPerMs * LOOK_MS);
        waitMs = lag.waitMs(atMs, written, reached);
      }
      return waitMs;
    },
    beginAnew() {
      reached = 0;
    },
  };
}

describe('the lag of a reader of the log', () => {
  it('is none where it keeps up', () => {
    expect(tell(createReaderLag()).go(5_000, 2, 3)).to.equal(0);
  });

  it('is what lies before a new append, by how fast the reader goes', () => {
    const log = tell(createReaderLag());
    log.go(1_000, 1, 1);
    // After 2 s of it there are 2 * 2,000 more than have been reached, at 1 a ms.
    expect(log.go(2_000, 3, 1)).to.be.closeTo(4_000, 200);
    expect(log.go(2_000, 0, 1)).to.be.closeTo(2_000, 200);
    expect(log.go(3_000, 0, 1)).to.equal(0);
  });

  it('says nothing of a burst that is read in a moment', () => {
    const log = tell(createReaderLag());
    log.go(5_000, 0.01, 0.01);
    log.go(LOOK_MS, 20, 0.01);
    expect(log.go(LOOK_MS, 0, 0.01)).to.equal(0);
    expect(log.go(400, 0, 1)).to.equal(0);
    expect(log.go(1_000, 0, 1)).to.equal(0);
  });

  it('is not known of a reader that does not move, nor until it is known how fast one is that moves again', () => {
    const log = tell(createReaderLag());
    log.go(1_000, 1, 1);
    expect(log.go(10_000, 1, 0)).to.equal(undefined);
    expect(log.go(2_000, 0, 1)).to.equal(0);
  });

  it('is what comes on top of what an outage has left, whatever the speed', () => {
    const log = tell(createReaderLag());
    log.go(1_000, 1, 1);
    log.go(60_000, 1, 0);
    expect(log.go(5_000, 1, 2)).to.equal(0);
    expect(log.go(5_000, 0.1, 0.2)).to.equal(0);
    expect(log.go(3_000, 3, 1)).to.be.closeTo(6_000, 500);
  });

  it('is not what it would be at the speed of one that has just stopped', () => {
    const log = tell(createReaderLag());
    log.go(1_000, 1, 1);
    log.go(3_000, 1.5, 1);
    log.go(5_000, 1, 3);
    log.go(2 * LOOK_MS, 1, 0.5);
    for (let passedMs = 0; passedMs < 3_000; passedMs += LOOK_MS) expect(log.go(LOOK_MS, 1, 0) ?? 0).to.be.below(2_000);
  });

  it('is not known where it begins anew', () => {
    const log = tell(createReaderLag());
    log.go(1_000, 10, 10);
    log.beginAnew();
    expect(log.go(LOOK_MS, 10, 1)).to.equal(undefined);
  });

  it('is not known where it was behind when this process started', () => {
    expect(tell(createReaderLag()).go(LOOK_MS, 10, 1)).to.equal(undefined);
  });
});

describe('what is excused', () => {
  it('is an outage and the backlog that it left, as long as that shrinks', () => {
    const excuse = createExcuse();
    expect(excuse.inExcess(0, undefined)).to.equal(0);
    expect(excuse.inExcess(1_000, 60_000)).to.equal(0);
    expect(excuse.inExcess(2_000, 59_000)).to.equal(0);
    expect(excuse.inExcess(3_000, 62_000)).to.equal(3_000);
  });

  it('is nothing that came after it', () => {
    const excuse = createExcuse();
    expect(excuse.inExcess(0, undefined)).to.equal(0);
    expect(excuse.inExcess(1_000, 0)).to.equal(0);
    expect(excuse.inExcess(2_000, 7_000)).to.equal(7_000);
  });

  it('shrinks by itself where the backlog does not', () => {
    const excuse = createExcuse();
    excuse.inExcess(0, 60_000, 2);
    expect(excuse.inExcess(100_000, 60_000, 2)).to.equal(20_000);
  });
});
