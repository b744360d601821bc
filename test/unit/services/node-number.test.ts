import { expect } from 'chai';
import { pino } from 'pino';
import { NODES } from '../../../domain/ids.ts';
import { NODE_NUMBER_MS } from '../../../domain/node-number.ts';
import type { EventStore } from '../../../infra/event-store/client.ts';
import { StoreUnavailable, WrongRevision } from '../../../infra/event-store/errors.ts';
import { takeNodeNumber } from '../../../services/node-number.ts';
import { AT_MS, createLog } from '../../support/sample.ts';

describe('node numbers', () => {
  let log: ReturnType<typeof createLog>;
  let nowMs: number;
  let isAway: boolean;
  beforeEach(() => {
    log = createLog();
    nowMs = AT_MS;
    isAway = false;
  });

  const factsOf = (name: string) => log.facts.filter((fact) => fact.stream === name);
  const store = {
    async read(name: string) {
      return factsOf(name).slice(-1);
    },
    async append(name, [fact], expected) {
      if (isAway) throw new StoreUnavailable(new Error('away'));
      const actual = factsOf(name).length - 1;
      if (actual !== expected) throw new WrongRevision(name, actual);
      return log.add(name, fact as never);
    },
  } as Pick<EventStore, 'append' | 'read'>;
  const take = (node: string, ofStore = store) =>
    takeNodeNumber({
      ...{ store: ofStore, node, nowMs: () => nowMs, monotonicMs: () => nowMs },
      log: pino({ enabled: false }),
    });
  const numberOf = async (node: string) => (await take(node)).number;

  it('differ, also where nodes take one at the same time', async () => {
    const numbers = await Promise.all(['a', 'b', 'c'].map(numberOf));
    expect(new Set(numbers).size).to.equal(3);
  });

  it('are the same for a node that comes back, however it ended', async () => {
    expect([await numberOf('a'), await numberOf('b'), await numberOf('b'), await numberOf('a')]).to.deep.equal([
      0, 1, 1, 0,
    ]);
  });

  it('are free again once they are released, or have not been taken again for a day', async () => {
    const { release } = await take('a');
    await numberOf('b');
    await release();
    expect(await numberOf('c')).to.equal(0);
    nowMs += NODE_NUMBER_MS.kept;
    expect(await numberOf('d')).to.equal(2);
    nowMs += 1;
    expect(await numberOf('e')).to.equal(0);
  });

  it('are used no longer, long before another node may take them, where they could not be taken again', async () => {
    const { isOurs } = await take('a');
    nowMs += NODE_NUMBER_MS.used - 1;
    expect(isOurs()).to.equal(true);
    nowMs += 1;
    expect(isOurs()).to.equal(false);
  });

  it('say where in the log they were taken: what others made with them lies before', async () => {
    const { release } = await take('a');
    await release();
    expect((await take('b')).position).to.equal(log.facts.at(-1)?.position);
  });

  it('run out', async () => {
    for (let n = 0; n < NODES; n++) expect(await numberOf(`node ${n}`)).to.equal(n);
    expect((await take('one more').catch((error) => error)).message).to.contain('all 32 node numbers are taken');
  });

  it('are not taken while the store is away, and a release in vain does no harm', async () => {
    const { release } = await take('a');
    isAway = true;
    await release();
    expect(await take('b').catch((error) => error)).to.be.instanceOf(StoreUnavailable);
    isAway = false;
    expect(await numberOf('a')).to.equal(0);
  });
});
