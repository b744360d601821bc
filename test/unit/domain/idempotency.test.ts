import { expect } from 'chai';
import { acceptedRequest, assertSameRequest, IDEMPOTENCY_MS } from '../../../domain/idempotency.ts';
import { refusalOf } from '../../support/given.ts';
import { AT_MS, iso } from '../../support/sample.ts';

const accepted = (id: number, atMs = AT_MS) =>
  ({ type: 'RequestAccepted', data: { request_hash: `hash-${id}`, id, at: iso(atMs) } }) as const;

describe('idempotency', () => {
  it('knows no request before the first', () => {
    expect(acceptedRequest([], AT_MS)).to.equal(undefined);
  });

  it('remembers a request for 24 hours', () => {
    const facts = [accepted(1)];
    expect(acceptedRequest(facts, AT_MS + IDEMPOTENCY_MS - 1)).to.equal(facts[0]?.data);
    expect(acceptedRequest(facts, AT_MS + IDEMPOTENCY_MS)).to.equal(undefined);
  });

  it('goes by the newest, where the store still holds older ones', () => {
    const again = AT_MS + IDEMPOTENCY_MS;
    expect(acceptedRequest([accepted(1), accepted(2, again)], again)?.id).to.equal(2);
  });

  it('refuses the key for another request', () => {
    const { data } = accepted(1);
    assertSameRequest(data, 'hash-1');
    expect(refusalOf(() => assertSameRequest(data, 'hash-2')).code).to.equal('idempotency-key-reused');
  });
});
