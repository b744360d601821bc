import { expect } from 'chai';
import type { NewFact } from '../../../../domain/facts.ts';
import type { Appended } from '../../../../infra/event-store/client.ts';
import { createCoalescer } from '../../../../infra/event-store/coalescer.ts';
import { WrongRevision } from '../../../../infra/event-store/errors.ts';
import { newFact, published } from '../../../support/sample.ts';

const KIB = 1_024;

/** A store whose appends stay under way until the test ends them. */
function createHeldStore() {
  const calls: { stream: string; ids: number[]; end(error?: Error): void }[] = [];
  const revisions = new Map<string, number>();
  return {
    calls,
    append(stream: string, facts: readonly NewFact[]): Promise<Appended> {
      return new Promise((resolve, reject) => {
        const end = (error?: Error) => {
          if (error) return reject(error);
          const revision = (revisions.get(stream) ?? -1) + facts.length;
          revisions.set(stream, revision);
          resolve({ revision, position: revision * 100 });
        };
        calls.push({ stream, ids: facts.map((fact) => (fact.data as { id: number }).id), end });
      });
    },
  };
}

/** Promises that are settled already have told everybody by then. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('coalescer', () => {
  let store: ReturnType<typeof createHeldStore>;
  let append: (id: number, options?: { stream?: string; bytes?: number; count?: number }) => Promise<Appended>;
  let ended: number;
  beforeEach(() => {
    ended = 0;
    store = createHeldStore();
    const coalescer = createCoalescer(store.append);
    append = (id, { stream = 'events-1', bytes = 100, count = 1 } = {}) => {
      const facts = Array.from({ length: count }, (_, n) => newFact(published({ id: id + n }), id + n));
      return coalescer.append(stream, facts, bytes);
    };
  });

  async function endNext(error?: Error) {
    store.calls[ended]?.end(error);
    ended += 1;
    await settled();
  }
  const ids = () => store.calls.map((call) => call.ids);

  it('appends at once what comes alone', async () => {
    const first = append(1);
    expect(ids()).to.deep.equal([[1]]);
    await endNext();
    expect(await first).to.deep.equal({ revision: 0, position: 0 });
    const second = append(2);
    expect(ids()).to.deep.equal([[1], [2]]);
    await endNext();
    expect(await second).to.deep.equal({ revision: 1, position: 100 });
  });

  it('lets what comes meanwhile wait together, then go as one append, in order', async () => {
    const all = [append(1), append(2), append(3, { count: 2 }), append(5)];
    expect(ids()).to.deep.equal([[1]]);
    await endNext();
    expect(ids()).to.deep.equal([[1], [2, 3, 4, 5]]);
    await endNext();
    const appended = await Promise.all(all);
    expect(appended.map(({ revision }) => revision)).to.deep.equal([0, 1, 3, 4]);
    expect(appended.map(({ position }) => position)).to.deep.equal([0, 400, 400, 400]);
  });

  it('keeps streams apart', async () => {
    void append(1, { stream: 'events-1' });
    void append(2, { stream: 'events-2' });
    expect(store.calls.map(({ stream }) => stream)).to.deep.equal(['events-1', 'events-2']);
  });

  it('splits by size', async () => {
    void append(1);
    for (const id of [2, 3, 4]) void append(id, { bytes: 200 * KIB });
    await endNext();
    await endNext();
    expect(ids()).to.deep.equal([[1], [2, 3], [4]]);
  });

  it('appends alone what is too large to go with others', async () => {
    void append(1);
    void append(2, { bytes: 900 * KIB });
    void append(3);
    await endNext();
    await endNext();
    expect(ids()).to.deep.equal([[1], [2], [3]]);
  });

  it('splits by count, but never what was handed over together', async () => {
    void append(1);
    for (const id of [1_000, 2_000, 3_000]) void append(id, { count: 250 });
    void append(4_000, { count: 600 });
    await endNext();
    await endNext();
    await endNext();
    expect(ids().map(({ length }) => length)).to.deep.equal([1, 500, 250, 600]);
  });

  it('fails only those whose append failed', async () => {
    const all = [append(1), append(2), append(3)];
    const outcomes = Promise.allSettled(all);
    await endNext();
    await endNext(new Error('lost'));
    const later = append(4);
    await endNext();
    expect((await outcomes).map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'rejected']);
    expect((await later).revision).to.equal(1);
  });

  it('goes on with what waited behind an append that failed', async () => {
    const first = append(1).catch((error) => error.message);
    const second = append(2);
    await endNext(new Error('lost'));
    expect(await first).to.equal('lost');
    await endNext();
    expect((await second).revision).to.equal(0);
  });

  it('appends one by one what the store took for a repetition in part', async () => {
    void append(1);
    const together = [append(2), append(3), append(4)];
    const outcomes = Promise.allSettled(together);
    await endNext();
    const last = append(5);
    await endNext(new WrongRevision('events-1', 7));
    await endNext();
    await endNext(new Error('lost'));
    await endNext();
    await endNext();
    expect(ids()).to.deep.equal([[1], [2, 3, 4], [2], [3], [4], [5]]);
    expect((await outcomes).map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
    expect((await last).revision).to.equal(3);
  });

  it('hands on a wrong revision of what was appended alone', async () => {
    const outcome = append(1).catch((error) => error);
    await endNext(new WrongRevision('events-1', 7));
    expect(await outcome).to.be.instanceOf(WrongRevision);
    expect(store.calls).to.have.length(1);
  });
});
