import { expect } from 'chai';
import { readKey } from '../../../services/gateway/credentials.ts';
import { Problem } from '../../../services/gateway/problems.ts';

const KEY = `pk_${'0123456789abcdef'.repeat(3).slice(0, 40)}`;
const ADMIN_KEY = 'an admin key: of some kind';
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('the key of an Authorization header', () => {
  it('is undefined without one', () => {
    expect(readKey(undefined, ADMIN_KEY)).to.equal(undefined);
  });

  const GOOD: Record<string, [header: string, key: string]> = {
    'Basic user name': [basic(`${KEY}:`), KEY],
    'a subscriber key': [basic(`${KEY.replace('pk', 'sk')}:`), KEY.replace('pk', 'sk')],
    Bearer: [`Bearer ${KEY}`, KEY],
    'a scheme in any case': [`bEARER  ${KEY} `, KEY],
    'the admin key as Bearer': [`Bearer ${ADMIN_KEY}`, ADMIN_KEY],
    'the admin key, whatever is in it': [basic(`${ADMIN_KEY}:`), ADMIN_KEY],
  };
  for (const [name, [header, key]] of Object.entries(GOOD)) {
    it(`is read: ${name}`, () => expect(readKey(header, ADMIN_KEY)).to.equal(key));
  }

  const BAD: Record<string, string> = {
    'an empty header': '',
    'no scheme': KEY,
    'another scheme': `Digest ${KEY}`,
    'a password': basic(`${KEY}:secret`),
    'a password of a colon': basic(`${KEY}::`),
    'no colon': basic(KEY),
    'no key': basic(':'),
    'upper-case digits': basic(`${KEY.toUpperCase().replace('PK', 'pk')}:`),
    'too few digits': basic(`${KEY.slice(0, -1)}:`),
    'too many digits': basic(`${KEY}0:`),
    'another prefix': basic(`${KEY.replace('pk', 'ak')}:`),
    'a line break behind it': basic(`${KEY}\n:`),
    'what begins like the admin key': basic(`${ADMIN_KEY} :`),
    'no base64': 'Basic %%%',
  };
  for (const [name, header] of Object.entries(BAD)) {
    it(`is refused: ${name}`, () => {
      expect(() => readKey(header, ADMIN_KEY))
        .to.throw(Problem)
        .with.property('code', 'key-malformed');
    });
  }

  it('is no admin key where none is set', () => {
    expect(() => readKey(basic(':'), undefined)).to.throw(Problem);
    expect(() => readKey(basic(`${ADMIN_KEY}:`), undefined)).to.throw(Problem);
  });
});
