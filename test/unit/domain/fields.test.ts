import { expect } from 'chai';
import fc from 'fast-check';
import { isHttpUrl, realChanges, withChanges } from '../../../domain/fields.ts';

const TAKEN = [
  'http://subscriber.com/webhook_url',
  'https://subscriber.example',
  'HTTPS://Subscriber.example/Path?q=1&r=%20#part',
  'http://localhost:9000/',
  'http://127.0.0.1',
  'http://[::1]:8080/x',
  'https://xn--bcher-kva.example/',
  'https://bücher.example/ü',
  'http://a.example/?at=@&colon=:',
  'http://a.example/x@y',
];

const REFUSED = [
  '',
  ' ',
  'subscriber.com/webhook_url',
  '//subscriber.com/',
  'ftp://subscriber.com/',
  'javascript:alert(1)',
  'file:///etc/passwd',
  'data:text/plain,x',
  'http:subscriber.com',
  'http:/subscriber.com',
  'http://',
  'http:///path',
  'http:////subscriber.com',
  'https://?q',
  'http://user@subscriber.com/',
  'http://user:pass@subscriber.com/',
  'http://:pass@subscriber.com/',
  'http://@subscriber.com/',
  'http://:@subscriber.com/',
  'http://a.example@b.example/',
  'http://a b.example/',
  'http://a.example/with space',
  ' http://a.example/',
  'http://a.example/\n',
  'ht\ntp://a.example/',
  'http://a.example\\@b.example/',
  'http:\\\\a.example',
  'http://a.example:99999/',
  'http://a.example:port/',
  'http://[::1/',
  'http://256.256.256.256/',
  'http://a..%00b/',
];

describe('isHttpUrl', () => {
  for (const url of TAKEN) it(`takes ${url}`, () => expect(isHttpUrl(url)).to.equal(true));
  for (const url of REFUSED) it(`refuses ${JSON.stringify(url)}`, () => expect(isHttpUrl(url)).to.equal(false));

  it('takes nothing that a URL parser would not take', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const url = `http://${text}`;
        if (isHttpUrl(url)) expect(URL.canParse(url)).to.equal(true);
      }),
    );
  });
});

interface Fields {
  readonly name: string;
  readonly note?: string;
  readonly flag?: boolean;
}
const value = fc.record({
  name: fc.string(),
  note: fc.option(fc.string(), { nil: undefined }),
  flag: fc.option(fc.boolean(), { nil: undefined }),
});
const fields = value.map((given) => withChanges<Fields>({ name: '' }, given));
const changes = fc.record(
  { name: fc.string(), note: fc.option(fc.string(), { nil: null }), flag: fc.option(fc.boolean(), { nil: null }) },
  { requiredKeys: [] },
);

describe('withChanges', () => {
  it('changes what is named, clears what is null, keeps the rest', () => {
    const before: Fields = { name: 'a', note: 'n' };
    expect(withChanges(before, { name: 'b' })).to.deep.equal({ name: 'b', note: 'n' });
    expect(withChanges(before, { note: null })).to.deep.equal({ name: 'a' });
    expect(withChanges(before, { flag: false })).to.deep.equal({ name: 'a', note: 'n', flag: false });
    expect(withChanges(before, {})).to.deep.equal(before);
    expect(before).to.deep.equal({ name: 'a', note: 'n' });
  });

  it('takes undefined for absent, as it is once it has been through the log', () => {
    expect(withChanges<Fields>({ name: 'a', note: 'n' }, { note: undefined })).to.deep.equal({ name: 'a', note: 'n' });
    expect(realChanges({ name: 'a', note: 'n' }, { note: undefined })).to.deep.equal({});
  });
});

describe('realChanges', () => {
  it('names what would be another value, and no more', () => {
    const before = { name: 'a', note: 'n', list: ['x'] };
    expect(realChanges(before, { name: 'a', note: 'm' })).to.deep.equal({ note: 'm' });
    expect(realChanges(before, { note: null, flag: null })).to.deep.equal({ note: null });
    expect(realChanges(before, { list: ['x'] })).to.deep.equal({});
    expect(realChanges(before, { list: ['x', 'y'] })).to.deep.equal({ list: ['x', 'y'] });
  });

  it('has the same effect as all changes, and none when made a second time', () => {
    fc.assert(
      fc.property(fields, changes, (before, all) => {
        const after = withChanges<Fields>(before, realChanges(before, all));
        expect(after).to.deep.equal(withChanges<Fields>(before, all));
        expect(realChanges(after, all)).to.deep.equal({});
      }),
    );
  });
});
