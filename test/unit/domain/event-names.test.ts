import { expect } from 'chai';
import fc from 'fast-check';
import { isAskedFor } from '../../../domain/event-names.ts';

const name = fc.string({
  unit: fc.constantFrom(...'abcXYZ019._:-'),
  minLength: 1,
  maxLength: 20,
});

describe('event names that a webhook asks for', () => {
  it('are all where it names none', () => {
    fc.assert(fc.property(name, (name) => isAskedFor(undefined, name)));
  });

  it('are all where it says *', () => {
    fc.assert(fc.property(name, (name) => isAskedFor(['*'], name)));
  });

  it('are that very name, and no other', () => {
    fc.assert(fc.property(name, name, (pattern, name) => isAskedFor([pattern], name) === (pattern === name)));
  });

  it('are those with that beginning, and no other', () => {
    fc.assert(
      fc.property(name, name, (beginning, rest) => {
        expect(isAskedFor([`${beginning}*`], beginning + rest)).to.equal(true);
        expect(isAskedFor([`${beginning}*`], rest)).to.equal(rest.startsWith(beginning));
      }),
    );
  });

  it('are those of any of its patterns', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 5 }), name, (patterns, name) => {
        expect(isAskedFor(patterns, name)).to.equal(patterns.some((pattern) => isAskedFor([pattern], name)));
      }),
    );
  });

  it('are told apart by case, and a dot is a dot', () => {
    expect(isAskedFor(['order.*'], 'order.item.added')).to.equal(true);
    for (const other of ['order', 'orders.created', 'Order.created']) {
      expect(isAskedFor(['order.*'], other), other).to.equal(false);
    }
    expect(isAskedFor(['order.created'], 'orderXcreated')).to.equal(false);
  });
});
