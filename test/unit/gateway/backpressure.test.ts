import { expect } from 'chai';
import { pino } from 'pino';
import type { QueueWait } from '../../../infra/queue/waits.ts';
import { createBackpressure } from '../../../services/gateway/backpressure.ts';
import { Problem } from '../../../services/gateway/problems.ts';
import { waitFor } from '../../support/wait.ts';

const LIMIT_MS = 5_000;
/** As often as it is looked. */
const LOOK_MS = 50;

/** Backpressure whose clock, readers and queue a test moves. */
function standing({ limitMs = LIMIT_MS } = {}) {
  const at = { nowMs: 1_000_000, written: 0, projected: 0, relayed: 0 as number | undefined };
  const queue = { lagMs: 0, handedOut: 0 };
  const lines: { level: number; msg: string; refused?: number }[] = [];
  let asked = 0;
  let answer: () => Promise<QueueWait> = async () => ({ ...queue });
  const backpressure = createBackpressure({
    limitMs,
    progress: { reached: () => at.projected },
    relayedTo: () => at.relayed,
    queueWait() {
      asked += 1;
      return answer();
    },
    nowMs: () => at.nowMs,
    log: pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) }),
  });

  /** Goes on with so many positions a ms, looking all the time, whatever becomes of who asks. */
  async function go(forMs: number, rates: { written?: number; projected?: number; relayed?: number } = {}) {
    for (let passedMs = 0; passedMs < forMs; passedMs += LOOK_MS) {
      at.nowMs += LOOK_MS;
      at.written += (rates.written ?? 0) * LOOK_MS;
      at.projected = Math.min(at.written, at.projected + (rates.projected ?? 10) * LOOK_MS);
      if (at.relayed !== undefined) {
        at.relayed = Math.min(at.written, at.relayed + (rates.relayed ?? 10) * LOOK_MS);
      }
      backpressure.wrote(at.written);
      backpressure.whenRoom()?.catch(() => {});
      await Promise.resolve();
      await Promise.resolve();
    }
  }

  return {
    ...{ at, queue, lines, go },
    whenRoom: backpressure.whenRoom,
    stop: backpressure.stop,
    asked: () => asked,
    answerWith(next: () => Promise<QueueWait>) {
      answer = next;
    },
  };
}

type Standing = ReturnType<typeof standing>;

/** Three times as many are written as the projector reads, until more than the limit lies before it. */
async function overload(parts: Standing) {
  await parts.go(1_000, { written: 1 });
  await parts.go(3_000, { written: 3, projected: 1 });
}
const refusalOf = (room: Promise<void> | undefined) => room?.then(undefined, (error: Problem) => error);

describe('backpressure', () => {
  let parts: Standing;
  beforeEach(() => {
    parts = standing();
  });
  afterEach(() => parts.stop());

  it('costs nothing while all keep up', async () => {
    await parts.go(10_000, { written: 5 });
    expect(parts.whenRoom()).to.equal(undefined);
    expect(parts.lines).to.deep.equal([]);
  });

  it('costs nothing while they lag less than the limit', async () => {
    await parts.go(1_000, { written: 1 });
    await parts.go(2_000, { written: 3, projected: 1 });
    expect(parts.whenRoom()).to.equal(undefined);
  });

  it('costs nothing where a reader is late for a moment', async () => {
    await parts.go(1_000, { written: 1 });
    await parts.go(2_700, { written: 3, projected: 1 });
    await parts.go(200, { projected: 100 });
    expect(parts.whenRoom()).to.equal(undefined);
    expect(parts.lines).to.deep.equal([]);
  });

  for (const reader of ['projected', 'relayed'] as const) {
    it(`lets publications wait until there is room again: ${reader}`, async () => {
      await parts.go(1_000, { written: 1 });
      await parts.go(3_000, { written: 3, [reader]: 1 });
      const room = parts.whenRoom();
      expect(room).not.to.equal(undefined);
      parts.at[reader] = parts.at.written;
      parts.at.nowMs += LOOK_MS;
      await room;
      expect(parts.whenRoom()).to.equal(undefined);
    });
  }

  it('lets those that wait through in the order in which they came', async () => {
    await overload(parts);
    const through: number[] = [];
    const rooms = [1, 2, 3].map((n) => parts.whenRoom()?.then(() => through.push(n)));
    parts.at.projected = parts.at.written;
    parts.at.nowMs += LOOK_MS;
    await Promise.all(rooms);
    expect(through).to.deep.equal([1, 2, 3]);
  });

  it('refuses whose patience has ended, and says when to come again', async () => {
    await overload(parts);
    const refusal = refusalOf(parts.whenRoom());
    parts.at.written += 4_000;
    await parts.go(2_050, { written: 1, projected: 1 });
    const problem = await refusal;
    expect(problem).to.be.instanceOf(Problem).with.property('code', 'overloaded');
    expect(Number(problem?.headers['Retry-After'])).to.be.within(6, 15);
  });

  it('lets 256 wait and refuses more at once', async () => {
    await overload(parts);
    let refused = 0;
    const rooms = Array.from({ length: 300 }, () =>
      parts.whenRoom()?.catch(({ code }: Problem) => {
        if (code === 'overloaded') refused += 1;
      }),
    );
    // Those that were refused at once: the clock stands still.
    await new Promise(setImmediate);
    expect(refused).to.be.within(300 - 256, 100);
    parts.stop();
    await Promise.all(rooms);
  });

  it('never refuses where it is off', async () => {
    const off = standing({ limitMs: 0 });
    await overload(off);
    expect(off.whenRoom()).to.equal(undefined);
    expect(off.asked()).to.equal(0);
  });

  it('refuses nothing while the projector is away, nor while it catches up', async () => {
    await parts.go(1_000, { written: 1 });
    await parts.go(60_000, { written: 1, projected: 0 });
    expect(parts.whenRoom()).to.equal(undefined);
    await parts.go(5_000, { written: 1, projected: 3 });
    expect(parts.whenRoom()).to.equal(undefined);
    await parts.go(60_000, { written: 1, projected: 3 });
    expect(parts.lines).to.deep.equal([]);
  });

  it('refuses nothing while the relay is away, nor where none is known here', async () => {
    await parts.go(1_000, { written: 1 });
    await parts.go(60_000, { written: 1, relayed: 0 });
    expect(parts.whenRoom()).to.equal(undefined);
    parts.at.relayed = undefined;
    await parts.go(10_000, { written: 1 });
    expect(parts.whenRoom()).to.equal(undefined);
    expect(parts.lines).to.deep.equal([]);
  });

  describe('of the queue', () => {
    /** Messages wait ever longer, while workers take so many at each look. */
    async function lag({ taken }: { taken: number }) {
      await parts.go(2_000, { written: 1 });
      for (let i = 0; i < 200; i++) {
        parts.queue.lagMs = i * LOOK_MS;
        parts.queue.handedOut += taken;
        await parts.go(LOOK_MS, { written: 1 });
      }
    }

    it('counts while workers take from it', async () => {
      await lag({ taken: 1 });
      expect(parts.whenRoom()).not.to.equal(undefined);
    });

    it('does not count where nobody takes from it', async () => {
      await lag({ taken: 0 });
      expect(parts.whenRoom()).to.equal(undefined);
      expect(parts.lines).to.deep.equal([]);
    });

    it('does not count where the broker refuses to answer, or never does', async () => {
      for (const away of [() => Promise.reject(new Error('away')), () => new Promise<never>(() => {})]) {
        parts = standing();
        await lag({ taken: 1 });
        parts.answerWith(away);
        await parts.go(4_000, { written: 1 });
        expect(parts.whenRoom()).to.equal(undefined);
        parts.stop();
      }
    });

    it('does not count while the read models stand still: what is taken is given back', async () => {
      await parts.go(2_000, { written: 1 });
      for (let i = 0; i < 200; i++) {
        parts.queue.lagMs = i * LOOK_MS;
        parts.queue.handedOut += 1;
        await parts.go(LOOK_MS, { written: 1, projected: 0 });
      }
      expect(parts.whenRoom()).to.equal(undefined);
    });

    it('does not count for what the relay puts on it at once after it was away', async () => {
      await parts.go(2_000, { written: 1 });
      await parts.go(20_000, { written: 1, relayed: 0 });
      for (let i = 0; i < 200; i++) {
        parts.queue.lagMs = i * LOOK_MS;
        parts.queue.handedOut += 1;
        await parts.go(LOOK_MS, { written: 1, relayed: 3 });
      }
      for (let i = 200; i > 0; i--) {
        parts.queue.lagMs = i * LOOK_MS;
        parts.queue.handedOut += 1;
        await parts.go(LOOK_MS, { written: 1 });
      }
      expect(parts.lines).to.deep.equal([]);
    });

    it('is asked twice a second while there are publications, and by nobody else', async () => {
      await parts.go(10_000, { written: 1 });
      const asked = parts.asked();
      expect(asked).to.be.within(15, 20);
      parts.at.nowMs += 60_000;
      await new Promise((resolve) => setTimeout(resolve, 2 * LOOK_MS));
      expect(parts.asked()).to.equal(asked);
    });
  });

  it('says once that an overload begins and once that it is over', async () => {
    await overload(parts);
    await parts.go(3_000, { written: 3, projected: 1 });
    parts.at.projected = parts.at.written;
    await parts.go(6_000, { written: 1 });
    await waitFor('the end of it', () => parts.lines.length >= 2);
    expect(parts.lines.map(({ level }) => level)).to.deep.equal([40, 30]);
    expect(parts.lines[1]?.refused).to.be.greaterThan(0);
  });
});
