import { expect } from 'chai';
import fc from 'fast-check';
import { readTraceparent, writeTraceparent } from '../../../../infra/tracing/traceparent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const context = { traceId: TRACE, spanId: SPAN };

describe('a traceparent', () => {
  it('says which trace, which span, and whether that is sampled', () => {
    expect(readTraceparent(`00-${TRACE}-${SPAN}-01`)).to.deep.equal({ ...context, isSampled: true });
    expect(readTraceparent(`00-${TRACE}-${SPAN}-00`)).to.deep.equal({ ...context, isSampled: false });
    expect(readTraceparent(`00-${TRACE}-${SPAN}-fe`), 'flags that nobody knows yet').to.deep.equal({
      ...context,
      isSampled: false,
    });
  });

  it('of a version to come is read as far as it is known', () => {
    for (const header of [`01-${TRACE}-${SPAN}-01`, `cc-${TRACE}-${SPAN}-01-what-comes`]) {
      expect(readTraceparent(header), header).to.deep.equal({ ...context, isSampled: true });
    }
  });

  for (const header of [
    undefined,
    '',
    'x',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01.what`,
    ` 00-${TRACE}-${SPAN}-01`,
  ]) {
    it(`is none: ${JSON.stringify(header)}`, () => {
      expect(readTraceparent(header)).to.equal(undefined);
    });
  }

  it('is read as it was written', () => {
    const hex = (length: number) =>
      fc
        .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
        .filter((text) => !/^0+$/.test(text));
    fc.assert(
      fc.property(hex(32), hex(16), fc.boolean(), (traceId, spanId, isSampled) => {
        expect(readTraceparent(writeTraceparent({ traceId, spanId, isSampled }))).to.deep.equal({
          traceId,
          spanId,
          isSampled,
        });
      }),
    );
  });
});
