import { expect } from 'chai';
import fc from 'fast-check';
import { createIds, ID_EPOCH_MS } from '../../../../domain/ids.ts';
import { SHARDS, shardOf, shardsOf } from '../../../../infra/queue/shards.ts';

const workers = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 40 });

describe('shards', () => {
  it('each belong to one worker, and each worker has its even share, rounded up or down', () => {
    fc.assert(
      fc.property(workers, (ids) => {
        const shares = ids.map((id) => [...shardsOf(id, ids)]);
        expect(shares.flat().toSorted((a, b) => a - b)).to.deep.equal(Array.from({ length: SHARDS }, (_, n) => n));
        const even = SHARDS / ids.length;
        for (const share of shares) expect(share.length).to.be.within(Math.floor(even), Math.ceil(even));
      }),
    );
  });

  it('do not all move when a worker goes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.uuid(), { minLength: 3, maxLength: 6 }), (ids) => {
        const ownerOf = (shard: number, among: string[]) => among.find((id) => shardsOf(id, among).has(shard));
        const left = ids.slice(1);
        const all = Array.from({ length: SHARDS }, (_, shard) => shard);
        const moved = all.filter((shard) => ownerOf(shard, ids) !== ownerOf(shard, left));
        expect(moved.length).to.be.within(Math.floor(SHARDS / ids.length), (SHARDS * 3) / 4);
      }),
    );
  });

  it('have about as many webhooks each, of ids that are made one by one and of ids of a burst', () => {
    let nowMs = ID_EPOCH_MS + 1e11;
    for (const stepMs of [0, 1, 4_096]) {
      const next = createIds(0, () => {
        nowMs += stepMs;
        return nowMs;
      });
      const counts = new Array(SHARDS).fill(0);
      for (let n = 0; n < 16_000; n++) counts[shardOf(next())] += 1;
      for (const count of counts) expect(count).to.be.within(800, 1_200);
    }
  });
});
