import { expect } from 'chai';
import { createLease, LEASE, type Lease } from '../../../../infra/queue/lease.ts';
import type { Records } from '../../../../infra/queue/records.ts';

describe('a lease', () => {
  /** One broker, and clocks of each process that say what they like but go alike. */
  let broker: ReturnType<typeof createBroker>;
  let nowMs: number;
  beforeEach(() => {
    broker = createBroker();
    nowMs = 1_000;
  });

  function createBroker() {
    let record: { value: unknown; revision: number } | undefined;
    let last = 0;
    let isAway = false;
    let isAnswerLost = false;
    const records: Records = {
      async get<T>() {
        if (isAway) throw new Error('away');
        return record as { value: T; revision: number } | undefined;
      },
      async replace(_key, value, known) {
        if (isAway) throw new Error('away');
        if ((record?.revision ?? 0) !== known) throw new Error('wrong last sequence');
        last += 1;
        record = { value, revision: last };
        if (isAnswerLost) throw new Error('timeout');
        return last;
      },
    };
    return {
      records,
      wipe: () => {
        record = undefined;
      },
      away: (is: boolean) => {
        isAway = is;
      },
      loseAnswers: (is: boolean) => {
        isAnswerLost = is;
      },
    };
  }

  const process = (node: string, aheadMs = 0) =>
    createLease<string>({ records: broker.records, key: 'lease', node, nowMs: () => nowMs + aheadMs });

  /** Looks as often as is asked for until so much time is over. */
  async function pass(ms: number, ...leases: [Lease<string>, string][]) {
    for (const untilMs = nowMs + ms; nowMs < untilMs; nowMs += LEASE.lookMs) {
      for (const [lease, note] of leases) await lease.look(() => note).catch(() => undefined);
      expect(leases.filter(([lease]) => lease.isHeld()).length).to.be.at.most(1);
    }
  }

  it('is taken by the first that looks, who finds nothing, and by no other as long as it is renewed', async () => {
    const a = process('a');
    const b = process('b', 1_000_000);
    expect(await a.look(() => 'first')).to.deep.equal({ found: undefined, wasOurs: false });
    await pass(60_000, [a, 'first'], [b, 'second']);
    expect([a.isHeld(), b.isHeld()]).to.deep.equal([true, false]);
    expect(b.noted()).to.equal('first');
  });

  it('goes to another that has seen no word of its holder for long, with what that has noted', async () => {
    const a = process('a');
    const b = process('b', -500);
    await pass(10_000, [a, 'noted'], [b, '']);
    const sinceMs = nowMs;
    let taken: Awaited<ReturnType<typeof b.look>>;
    while (!taken) {
      nowMs += LEASE.lookMs;
      taken = await b.look(() => '');
      expect(a.isHeld() && b.isHeld()).to.equal(false);
    }
    expect(taken).to.deep.equal({ found: 'noted', wasOurs: false });
    expect(nowMs - sinceMs).to.be.within(LEASE.goneMs - LEASE.renewMs, 10_000);
  });

  it('is relied on no longer by one that stood still, before anybody else has it', async () => {
    const a = process('a');
    const b = process('b');
    await pass(5_000, [a, ''], [b, '']);
    nowMs += LEASE.validMs;
    expect(a.isHeld()).to.equal(false);
    expect(await b.look(() => '')).to.equal(undefined);
    await pass(10_000, [b, '']);
    expect(b.isHeld()).to.equal(true);
    await pass(60_000, [b, ''], [a, '']);
    expect([a.isHeld(), b.isHeld()]).to.deep.equal([false, true]);
  });

  it('is given up so that the next one need not wait', async () => {
    const a = process('a');
    const b = process('b');
    await pass(1_000, [a, 'x'], [b, '']);
    await a.release('last words');
    expect(a.isHeld()).to.equal(false);
    expect(await b.look(() => '')).to.deep.equal({ found: 'last words', wasOurs: false });
  });

  it('is left for a while to others by one that had better not have it', async () => {
    const a = process('a');
    const [ready, late] = [process('b'), process('c')];
    await a.look(() => 'x');
    await a.release('x');
    expect(await late.look(() => '', LEASE.goneMs)).to.equal(undefined);
    expect(await ready.look(() => '')).to.not.equal(undefined);
    nowMs += LEASE.goneMs + LEASE.lookMs;
    await late.look(() => '', LEASE.goneMs);
    nowMs += LEASE.goneMs + LEASE.lookMs;
    expect(await late.look(() => '', LEASE.goneMs)).to.equal(undefined);
    nowMs += LEASE.goneMs;
    expect(await late.look(() => '', LEASE.goneMs)).to.not.equal(undefined);
  });

  it('is taken at once by a new process of the node that holds it, but not by one that has looked before', async () => {
    const a = process('a');
    await a.look(() => 'x');
    const again = process('a');
    expect(await again.look(() => '')).to.deep.equal({ found: 'x', wasOurs: true });
    nowMs += LEASE.renewMs;
    await a.look(() => '').catch(() => undefined);
    expect(await a.look(() => '')).to.equal(undefined);
    expect([a.isHeld(), again.isHeld()]).to.deep.equal([false, true]);
  });

  it('is kept by its holder where the answer to a renewal was lost', async () => {
    const a = process('a');
    await pass(1_000, [a, 'x']);
    broker.loseAnswers(true);
    nowMs += LEASE.renewMs;
    await a.look(() => 'x').catch(() => undefined);
    broker.loseAnswers(false);
    await pass(20_000, [a, 'x']);
    expect(a.isHeld()).to.equal(true);
  });

  it('comes back to its holder when the broker has forgotten it; another waits until that cannot be', async () => {
    const a = process('a');
    const b = process('b');
    await pass(1_000, [a, 'x'], [b, '']);
    broker.wipe();
    expect(await b.look(() => '')).to.equal(undefined);
    await pass(20_000, [a, 'x'], [b, '']);
    expect(a.isHeld()).to.equal(true);
    broker.wipe();
    nowMs += LEASE.goneMs;
    await b.look(() => '');
    nowMs += LEASE.goneMs + LEASE.lookMs;
    expect(await b.look(() => '')).to.deep.equal({ found: 'x', wasOurs: false });
  });

  it('is nobody’s while the broker is away for long, and then the one’s that is first', async () => {
    const a = process('a');
    const b = process('b');
    await pass(1_000, [a, 'x'], [b, '']);
    broker.away(true);
    await pass(20_000, [a, 'x'], [b, '']);
    expect([a.isHeld(), b.isHeld()]).to.deep.equal([false, false]);
    broker.away(false);
    await pass(1_000, [a, 'x'], [b, '']);
    expect([a.isHeld(), b.isHeld()].filter(Boolean)).to.have.length(1);
  });
});
