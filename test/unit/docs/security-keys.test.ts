import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { missingOf, namedIn } from '../../support/named-tests.ts';

describe('docs/security-keys.md', () => {
  const page = readFileSync('docs/security-keys.md', 'utf8');

  it('names files that exist, and quotes titles that they have', () => {
    expect(missingOf(namedIn(page))).to.deep.equal([]);
  });

  it('names a test, by its title, against every threat', () => {
    const rows = page
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .slice(1);
    const threats = rows
      .slice(rows.findIndex((row) => row.startsWith('| threat |')) + 1)
      .filter((row) => !row.includes('---'));
    expect(threats).to.have.length.above(10);
    expect(threats.filter((row) => !namedIn(row).some(({ titles }) => titles.length > 0))).to.deep.equal([]);
  });
});
