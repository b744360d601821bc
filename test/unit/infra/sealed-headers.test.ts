import { expect } from 'chai';
import fc from 'fast-check';
import { createKeys } from '../../../infra/keys.ts';
import { MasterSecretMissing } from '../../../infra/master-secrets.ts';
import { openHeaders, sealHeaders } from '../../../infra/sealed-headers.ts';

const keys = createKeys(['m'.repeat(32)]);

describe('sealed headers', () => {
  it('open to what they were, and hold nothing of it', () => {
    const headers = fc.dictionary(fc.string({ minLength: 1 }), fc.string({ minLength: 8, unit: 'grapheme' }));
    fc.assert(
      fc.property(headers, fc.nat(), (values, id) => {
        const sealed = sealHeaders(keys, id, values);
        expect(openHeaders(keys, id, JSON.parse(JSON.stringify(sealed)))).to.deep.equal({ ...values });
        for (const value of Object.values(values)) expect(Object.values(sealed).join()).not.to.include(value);
      }),
    );
  });

  it('differ each time, also for the same value', () => {
    const seal = () => sealHeaders(keys, 1, { a: 'the same value' }).a?.sealed;
    expect(seal()).not.to.equal(seal());
  });

  it('open for no other webhook, under no other name, and not where a bit was changed', () => {
    const { a } = sealHeaders(keys, 1, { a: 'a value' });
    if (!a) throw new Error('nothing was sealed');
    expect(openHeaders(keys, 1, { a })).to.deep.equal({ a: 'a value' });
    expect(() => openHeaders(keys, 2, { a })).to.throw();
    expect(() => openHeaders(keys, 1, { b: a })).to.throw();
    const bytes = Buffer.from(a.sealed, 'base64');
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => openHeaders(keys, 1, { a: { ...a, sealed: changed.toString('base64') } }), `${at}`).to.throw();
    }
    for (const short of ['', 'AAAA', a.sealed.slice(0, 24)]) {
      expect(() => openHeaders(keys, 1, { a: { ...a, sealed: short } }), short).to.throw();
    }
  });

  it('name the master secret that they need', () => {
    const sealed = sealHeaders(keys, 1, { a: 'a value' });
    const grown = createKeys(['n'.repeat(32), 'm'.repeat(32)]);
    expect(openHeaders(grown, 1, sealed)).to.deep.equal({ a: 'a value' });
    expect(() => openHeaders(createKeys(['n'.repeat(32)]), 1, sealed)).to.throw(MasterSecretMissing);
  });
});
