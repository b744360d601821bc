import type { LookupAddress } from 'node:dns';
import { expect } from 'chai';
import { createSharedResolver, type Resolver } from '../../../../infra/outbound/resolver.ts';

type Done = Parameters<Resolver>[2];

describe('the resolver', () => {
  let asked: { name: string; done: Done }[];
  let resolve: Resolver;
  beforeEach(() => {
    asked = [];
    resolve = createSharedResolver((name, _, done) => asked.push({ name, done }));
  });

  const look = (name: string) =>
    new Promise<LookupAddress[]>((found, reject) => {
      resolve(name, { all: true }, (error, addresses) => (error ? reject(error) : found(addresses)));
    });
  const ADDRESSES = [{ address: '8.8.8.8', family: 4 }];

  it('is asked once by all who want a name at the same time, and again afterwards', async () => {
    const looks = [look('a.example'), look('a.example'), look('b.example')];
    expect(asked.map(({ name }) => name)).to.deep.equal(['a.example', 'b.example']);
    for (const { done } of asked.splice(0)) done(null, ADDRESSES);
    expect(await Promise.all(looks)).to.deep.equal([ADDRESSES, ADDRESSES, ADDRESSES]);
    void look('a.example');
    expect(asked).to.have.length(1);
  });

  it('tells all of them what went wrong', async () => {
    const looks = Promise.allSettled([look('a.example'), look('a.example')]);
    asked[0]?.done(new Error('no such name'), []);
    expect((await looks).map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
  });
});
