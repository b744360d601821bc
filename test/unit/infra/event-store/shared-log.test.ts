import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { VERSIONS } from '../../../../domain/upcast.ts';
import type { LogBatch } from '../../../../infra/event-store/client.ts';
import { StoreUnavailable } from '../../../../infra/event-store/errors.ts';
import type { FollowOptions } from '../../../../infra/event-store/follow.ts';
import { shareLog } from '../../../../infra/event-store/shared-log.ts';
import type { StoredEvent } from '../../../../infra/event-store/wire/read-response.ts';
import { errorOf } from '../../../support/error-of.ts';
import { waitFor } from '../../../support/wait.ts';

const EMPTY = Buffer.from('{}');
const METADATA = Buffer.from(JSON.stringify({ version: VERSIONS.newest }));
/** What is kept of what was read last, in events. */
const KEPT = 4_096 + 1_024;

describe('event store: one subscription for all who follow the log', () => {
  let store: ReturnType<typeof fakeStore>;
  let log: ReturnType<typeof shareLog>;
  let followers: Follower[];

  beforeEach(() => {
    store = fakeStore();
    log = shareLog(store.subscribe);
    followers = [];
  });
  afterEach(async () => {
    for (const follower of followers) await follower.leave();
    expect(store.open()).to.deep.equal([]);
  });

  function follow(after: number, prefixes?: readonly string[]): Follower {
    const follower = createFollower((signal) => log.follow({ after, prefixes, signal }));
    followers.push(follower);
    return follower;
  }

  it('hands each of them every fact once, in order, however they are split', async () => {
    store.append(700);
    const one = follow(-1);
    const other = follow(-1);
    await one.takeUpTo(700);
    store.append(40);
    await one.takeUpTo(740);
    await other.takeUpTo(740);
    store.append(3);
    await Promise.all([one.takeUpTo(743), other.takeUpTo(743)]);
    for (const { seen } of [one, other]) expect(seen).to.deep.equal(upTo(743));
    expect(store.opened()).to.deep.equal([-1]);
  });

  it('does not let one wait for another that takes nothing', async () => {
    const idle = follow(-1);
    const busy = follow(-1);
    store.append(1);
    await idle.takeUpTo(1);
    for (let nth = 0; nth < 20; nth++) {
      store.append(10);
      await busy.takeUpTo(11 + 10 * nth);
    }
    await idle.takeUpTo(201);
    expect(idle.seen).to.deep.equal(upTo(201));
    expect(store.opened()).to.deep.equal([-1]);
  });

  it('lets who has fallen behind what is kept read by itself, and joins it to the others again', async () => {
    const slow = follow(-1);
    const fast = follow(-1);
    store.append(1);
    await slow.takeUpTo(1);
    for (let reached = 1; reached < 2 * KEPT; ) {
      store.append(512);
      reached += 512;
      await fast.takeUpTo(reached);
    }
    const end = store.end();
    await slow.takeUpTo(end);
    store.append(1);
    await Promise.all([slow.takeUpTo(end + 1), fast.takeUpTo(end + 1)]);
    expect(slow.seen).to.deep.equal(upTo(end + 1));
    expect(store.opened()).to.deep.equal([-1, 1]);
    await waitFor('it to have left its own', store.open, (open) => open.length === 1);
  });

  it('lets who is ahead of the others read by itself until they are there', async () => {
    store.append(2_000);
    const behind = follow(-1);
    await behind.takeUpTo(512);
    const ahead = follow(2_000);
    store.append(1);
    await ahead.takeUpTo(2_001);
    expect(ahead.seen).to.deep.equal([2_001]);
    await behind.takeUpTo(2_001);
    store.append(1);
    await Promise.all([behind.takeUpTo(2_002), ahead.takeUpTo(2_002)]);
    expect(behind.seen).to.deep.equal(upTo(2_002));
    expect(ahead.seen).to.deep.equal([2_001, 2_002]);
    expect(store.opened()).to.deep.equal([-1, 2_000]);
    await waitFor('it to have left its own', store.open, (open) => open.length === 1);
  });

  it('hands over what is in the streams that are wanted, and the place where it is now and then where nothing is', async () => {
    const all = follow(-1);
    const some = follow(-1, ['events-']);
    store.append(1, 'events-7');
    store.append(1_000, 'deliveries-7');
    store.append(1, 'events-7');
    store.append(2_000, 'deliveries-7');
    await all.takeUpTo(3_002);
    await some.takeUpTo(1_002 + 1_024);
    expect(some.seen).to.deep.equal([1, 1_002]);
    // One batch had the first fact, one the second, and one the place behind enough others.
    expect(some.positions.length).to.be.at.most(4);
    expect(store.opened()).to.deep.equal([-1]);
  });

  it('hands over nothing of streams that are none of ours', async () => {
    const all = follow(-1);
    store.append(2, '$stats');
    await all.takeUpTo(2);
    expect(all.seen).to.deep.equal([]);
  });

  it('fails for all where the subscription does, after what came before, and is opened anew by who comes next', async () => {
    const one = follow(-1);
    const other = follow(-1);
    store.append(5);
    await Promise.all([one.takeUpTo(5), other.takeUpTo(5)]);
    const failures = [errorOf(one.takeUpTo(6)), errorOf(other.takeUpTo(6))];
    await nextTurn();
    store.fail();
    for (const failure of failures) expect(await failure).to.be.instanceOf(StoreUnavailable);
    store.append(1);
    const again = follow(5);
    await again.takeUpTo(6);
    expect(again.seen).to.deep.equal([6]);
    expect(store.opened()).to.deep.equal([-1, 5]);
  });

  it('goes on for the others where one leaves, and ends with the last', async () => {
    const one = follow(-1);
    const other = follow(-1);
    store.append(1);
    await Promise.all([one.takeUpTo(1), other.takeUpTo(1)]);
    await one.leave();
    store.append(1);
    await other.takeUpTo(2);
    expect(store.open()).to.deep.equal([-1]);
    await other.leave();
    await waitFor('the end of the subscription', store.open, (open) => open.length === 0);
  });

  it('wakes who leaves while it waits', async () => {
    const one = follow(-1);
    const waiting = one.takeUpTo(1);
    await nextTurn();
    await one.leave();
    await waiting;
    expect(one.seen).to.deep.equal([]);
  });

  it('tells what was just read, as far back as it is kept', async () => {
    expect(log.recent(-1)).to.equal(undefined);
    const one = follow(-1);
    store.append(10, '$stats');
    await one.takeUpTo(10);
    expect(positionsIn(log.recent(7))).to.deep.equal({ facts: [8, 9, 10], position: 10 });
    expect(positionsIn(log.recent(10))).to.deep.equal({ facts: [], position: 10 });
    expect(log.recent(11)).to.equal(undefined);
    while (store.end() < 2 * KEPT) {
      store.append(512);
      await one.takeUpTo(store.end());
    }
    expect(log.recent(7)).to.equal(undefined);
    const from = store.end() - 4_096;
    expect(positionsIn(log.recent(from))).to.deep.equal({
      facts: upTo(store.end()).slice(from),
      position: store.end(),
    });
    await one.leave();
    await waitFor(
      'nobody to follow',
      () => log.recent(from),
      (recent) => recent === undefined,
    );
  });

  it('keeps nothing that all have had while they are far behind', async () => {
    store.handOver(2_048);
    store.append(3 * 2_048);
    const fast = follow(-1);
    const slow = follow(-1);
    await Promise.all([fast.takeUpTo(2_048), slow.takeUpTo(2_048)]);
    await fast.takeUpTo(4_096);
    expect(log.recent(2_047)).to.equal(undefined);
    await fast.takeUpTo(6_144);
    expect(positionsIn(log.recent(2_048)).facts).to.deep.equal(upTo(6_144).slice(2_048));
    await slow.takeUpTo(6_144);
    for (const { seen } of [fast, slow]) expect(seen).to.deep.equal(upTo(6_144));
    expect(store.opened()).to.deep.equal([-1]);
  });

  it('keeps no more than 8 MiB, but the newest batch', async () => {
    const one = follow(-1);
    for (let nth = 1; nth <= 5; nth++) {
      store.append(1, 'events-1', Buffer.from(JSON.stringify('x'.repeat(3 * 1_024 * 1_024))));
      await one.takeUpTo(nth);
    }
    expect(log.recent(2)).to.equal(undefined);
    expect(positionsIn(log.recent(3)).facts).to.deep.equal([4, 5]);
  });
});

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

function positionsIn(batch: LogBatch<StoredEvent> | undefined) {
  return { facts: batch?.facts.map(({ position }) => position), position: batch?.position };
}

type Follower = ReturnType<typeof createFollower>;

function createFollower(follow: (signal: AbortSignal) => AsyncGenerator<LogBatch>) {
  const abort = new AbortController();
  const batches = follow(abort.signal);
  const seen: number[] = [];
  const positions: number[] = [];
  return {
    seen,
    positions,
    /** Takes what comes up to a position, or until it has left. */
    async takeUpTo(position: number): Promise<void> {
      while ((positions.at(-1) ?? -1) < position) {
        const { value, done } = await batches.next();
        if (done) return;
        seen.push(...value.facts.map((fact) => fact.position));
        positions.push(value.position);
      }
    },
    async leave(): Promise<void> {
      abort.abort();
      await batches.return(undefined);
    },
  };
}

/** A log in memory. */
function fakeStore() {
  let most = 512;
  const events: StoredEvent[] = [];
  const changed = new EventEmitter().setMaxListeners(0);
  const opened: number[] = [];
  const open: number[] = [];
  let failure: StoreUnavailable | undefined;

  return {
    opened: () => opened,
    /** Where those began that have not ended. */
    open: () => open,
    end: () => events.length,
    /** So many events at a time, at the most. */
    handOver(count: number): void {
      most = count;
    },
    append(count: number, stream = 'events-1', data = EMPTY): void {
      for (let n = 0; n < count; n++) {
        const position = events.length + 1;
        const about = { id: `${position}`, type: 'T', stream, revision: position, position, created: '0000' };
        events.push({ ...about, metadata: METADATA, data });
      }
      changed.emit('change');
    },
    /** Ends every subscription. */
    fail(): void {
      failure = new StoreUnavailable(new Error('gone'));
      changed.emit('change');
      failure = undefined;
    },
    async *subscribe({ after, prefixes = [''], signal }: FollowOptions): AsyncGenerator<LogBatch<StoredEvent>> {
      opened.push(after);
      open.push(after);
      const fail = (reject: (error: Error) => void) => () => failure && reject(failure);
      try {
        for (let position = Math.max(after, 0); !signal.aborted; ) {
          const batch = events.slice(position, position + most);
          position += batch.length;
          const facts = batch.filter(({ stream }) => prefixes.some((prefix) => stream.startsWith(prefix)));
          if (batch.length > 0) yield { facts, position };
          else {
            const failed = new Promise<never>((_, reject) => changed.once('change', fail(reject)));
            const ended = once(signal, 'abort');
            await Promise.race([once(changed, 'change'), ended, failed]);
          }
        }
      } finally {
        open.splice(open.indexOf(after), 1);
      }
    },
  };
}
