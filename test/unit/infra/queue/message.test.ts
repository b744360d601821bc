import { expect } from 'chai';
import fc from 'fast-check';
import { decodeMessage, encodeMessage } from '../../../../infra/queue/message.ts';

const integer = fc.maxSafeInteger();

describe('queue message', () => {
  it('comes back as it was', () => {
    const place = { event_id: integer, webhook_id: integer, position: integer };
    const message = fc.record({ ...place, due_ms: integer }, { requiredKeys: ['event_id', 'webhook_id', 'position'] });
    fc.assert(fc.property(message, (sent) => expect(decodeMessage(encodeMessage(sent))).to.deep.equal(sent) && true));
  });

  it('stays small', () => {
    const largest = Number.MAX_SAFE_INTEGER;
    const bytes = encodeMessage({ event_id: largest, webhook_id: largest, position: largest });
    expect(bytes.length).to.be.at.most(64);
  });

  for (const text of [
    '',
    'x',
    'null',
    '{}',
    '[1,2]',
    '[1,2,3,4,5]',
    '[1,2,3,null]',
    '[1,2,"3"]',
    '[1,2,3.5]',
    '[1,2,1e300]',
    '[1,2,null]',
  ]) {
    it(`is none of ours: ${JSON.stringify(text)}`, () => {
      expect(() => decodeMessage(new TextEncoder().encode(text))).to.throw(SyntaxError);
    });
  }

  it('is none of ours whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          decodeMessage(bytes);
          return true;
        } catch (error) {
          return error instanceof SyntaxError;
        }
      }),
    );
  });
});
