import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Refusal } from '../../../domain/refusal.ts';
import { StoreUnavailable } from '../../../infra/event-store/errors.ts';
import { asProblem, fieldProblem, PROBLEMS, Problem, type ProblemCode } from '../../../services/gateway/problems.ts';

describe('problems', () => {
  it('stand in docs/errors.md, every one with its status and what it means', () => {
    const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| (\S.*) \|$/gm)].map(([, code, status, meaning]) => [
      code,
      Number(status),
      meaning,
    ]);
    expect(rows).to.deep.equal(Object.entries(PROBLEMS).map(([code, { status, meaning }]) => [code, status, meaning]));
  });

  it('are RFC 9457 as JSON', () => {
    const problem = new Problem('guid-taken', 'The guid "a" is taken.', {
      errors: [{ field: 'guid', message: 'is taken' }],
    });
    expect(JSON.parse(JSON.stringify(problem))).to.deep.equal({
      type: '/docs/errors#guid-taken',
      title: 'The guid is taken',
      status: 409,
      detail: 'The guid "a" is taken.',
      errors: [{ field: 'guid', message: 'is taken' }],
    });
    expect(JSON.parse(JSON.stringify(new Problem('not-found', 'No.')))).not.to.have.property('errors');
  });

  it('ask for credentials with every 401 and say when to come back with every 503', () => {
    for (const [code, { status }] of Object.entries(PROBLEMS)) {
      const { headers } = new Problem(code as ProblemCode, '');
      expect(headers['WWW-Authenticate'], code).to.equal(status === 401 ? 'Basic realm="webhooks"' : undefined);
      expect(headers['Retry-After'], code).to.equal(status === 503 ? '1' : undefined);
    }
  });

  it('are made of refusals and of an event store that is away, and of no other error', () => {
    expect(asProblem(new Refusal('guid-taken', 'Taken.', 'guid'))).to.deep.include({
      code: 'guid-taken',
      message: 'Taken.',
      errors: [{ field: 'guid', message: 'Taken.' }],
    });
    expect(asProblem(new Refusal('channel-not-found', 'Gone.'))?.errors).to.equal(undefined);
    expect(asProblem(new StoreUnavailable(new Error('away')))?.code).to.equal('store-unavailable');
    expect(asProblem(new TypeError('a bug'))).to.equal(undefined);
  });

  it('name the first fields in their detail and count the rest', () => {
    const errors = Array.from({ length: 7 }, (_, n) => ({ field: `f${n}`, message: 'is required' }));
    expect(fieldProblem('fields-invalid', errors.slice(0, 2)).message).to.equal('f0 is required; f1 is required.');
    expect(fieldProblem('fields-invalid', errors).message).to.match(/; f4 is required; and 2 more\.$/);
    expect(fieldProblem('fields-invalid', errors).errors).to.have.length(7);
  });
});
