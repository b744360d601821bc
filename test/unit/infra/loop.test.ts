import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import { createBackoff } from '../../../infra/backoff.ts';
import { createLoop } from '../../../infra/loop.ts';

/** A log that keeps its lines. */
function createKeptLog() {
  const lines: { msg: string; err?: { message: string } }[] = [];
  return { lines, log: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }) };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('loop', () => {
  it('runs until it is stopped, and waits for the end of the run', async () => {
    const { log, lines } = createKeptLog();
    let isOver = false;
    const loop = createLoop('copier', log, async (signal) => {
      await aborted(signal);
      await new Promise((resolve) => setImmediate(resolve));
      isOver = true;
    });
    await loop.start();
    await loop.stop();
    expect(isOver).to.equal(true);
    expect(lines).to.deep.equal([]);
  });

  it('says what went wrong, and begins anew', async () => {
    const { log, lines } = createKeptLog();
    let runs = 0;
    const second = Promise.withResolvers<void>();
    const loop = createLoop('copier', log, async (signal) => {
      runs += 1;
      if (runs === 1) throw new Error('broken pipe');
      second.resolve();
      await aborted(signal);
    });
    await loop.start();
    await second.promise;
    await loop.stop();
    expect(runs).to.equal(2);
    expect(lines.map(({ msg, err }) => [msg, err?.message])).to.deep.equal([
      ['copier failed, trying again', 'broken pipe'],
    ]);
  });

  it('takes an error on the way out for the end', async () => {
    const { log, lines } = createKeptLog();
    const loop = createLoop('copier', log, async (signal) => {
      await aborted(signal);
      throw new Error('aborted');
    });
    await loop.start();
    await loop.stop();
    expect(lines).to.deep.equal([]);
  });

  it('does not wait out its pause when it is stopped', async () => {
    const { log } = createKeptLog();
    const failed = Promise.withResolvers<void>();
    const loop = createLoop('copier', log, async () => {
      failed.resolve();
      throw new Error('broken pipe');
    });
    await loop.start();
    await failed.promise;
    await loop.stop();
  });

  it('can be stopped where it never started', () => createLoop('copier', createKeptLog().log, async () => {}).stop());
});

describe('backoff', () => {
  const never = new AbortController().signal;

  /** How long each wait takes, in ms. */
  async function waits(backoff: ReturnType<typeof createBackoff>, count: number): Promise<number[]> {
    const took: number[] = [];
    for (let n = 0; n < count; n++) {
      const beganMs = performance.now();
      await backoff.wait(never);
      took.push(performance.now() - beganMs);
    }
    return took;
  }

  it('waits at least twice as long each time, up to the longest', async () => {
    const atLeast = [4, 8, 16, 16];
    for (const [n, took] of (await waits(createBackoff(4, 16), 4)).entries()) {
      expect(took).to.be.at.least((atLeast[n] ?? 0) - 1.5);
    }
  });

  it('begins with the first wait again when it is reset', async () => {
    const backoff = createBackoff(1);
    await waits(backoff, 6);
    backoff.reset();
    const other = delay(32, 'a wait of 32 ms');
    expect(await Promise.race([backoff.wait(never).then(() => 'the first wait'), other])).to.equal('the first wait');
  });

  it('ends a wait at once when it is aborted, without an error', async () => {
    const abort = new AbortController();
    const waiting = createBackoff(60_000).wait(abort.signal);
    abort.abort();
    await waiting;
    await createBackoff(60_000).wait(abort.signal);
  });
});
