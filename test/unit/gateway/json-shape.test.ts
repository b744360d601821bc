import { expect } from 'chai';
import fc from 'fast-check';
import { membersIn, shapeOf } from '../../../services/gateway/json-shape.ts';

describe('the shape of JSON', () => {
  it('has as many members as its values hold, however they are written', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(shapeOf(text).members).to.equal(membersIn(JSON.parse(text)));
      }),
    );
  });

  const TWICE = [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"b":[{"a":{},"c":0,"a":{}}]}',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":1}',
    '{"\\"":1,"\\"":1}',
  ];
  for (const text of TWICE) {
    it(`has more members than are left of ${text}`, () => {
      expect(shapeOf(text).members).to.be.greaterThan(membersIn(JSON.parse(text)));
    });
  }

  const DEPTHS: Record<string, number> = {
    '1': 0,
    '{}': 1,
    '[[],[[]],[]]': 3,
    '{"a":{"b":[1,{"c":[]}]}}': 5,
    '"[[{{"': 0,
    '["\\\\","[[\\"[["]': 1,
  };
  for (const [text, depth] of Object.entries(DEPTHS)) {
    it(`is ${depth} deep in ${text}`, () => {
      expect(shapeOf(text).depth).to.equal(depth);
    });
  }
});
