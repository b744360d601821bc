import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { missingOf, namedIn } from '../../support/named-tests.ts';

const GUARANTEES = 'test/e2e/guarantees';

describe('docs/guarantees.md', () => {
  const page = readFileSync('docs/guarantees.md', 'utf8');
  const named = namedIn(page);
  const [, promises = ''] = /^## Promises\n([\s\S]*?)^## /m.exec(page) ?? [];

  it('names files that exist, and quotes titles that they have', () => {
    expect(missingOf(named)).to.deep.equal([]);
  });

  it('names a test, by its title, for every promise', () => {
    const sections = promises.split(/^### /m).slice(1);
    const isHeld = (section: string) =>
      namedIn(section).some(({ file, titles }) => file.endsWith('.test.ts') && titles.length > 0);
    expect(sections).to.have.length.above(10);
    expect(sections.filter((section) => !isHeld(section)).map((section) => section.split('\n')[0])).to.deep.equal([]);
  });

  it(`names every test in ${GUARANTEES}`, () => {
    const files = readdirSync(GUARANTEES).filter((file) => file.endsWith('.test.ts'));
    const isNamed = (path: string) => named.some(({ file, titles }) => file === path && titles.length > 0);
    expect(files.filter((file) => !isNamed(`${GUARANTEES}/${file}`))).to.deep.equal([]);
  });
});
